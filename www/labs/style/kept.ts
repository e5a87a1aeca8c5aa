// The painting that stands on the easel, kept in the browser's storage: it is there again after a visit to another lab.

import { openDB, type DBSchema } from 'idb';
import type { Given } from '../../ui/pictures/read';
import type { ColourPicture, PaintingReport } from '../../lib/types';
import type { Settings } from './settings';

/** The parts of the loss behind every step. */
export type History = Record<'loss' | 'content' | 'style' | 'variation', number[]>;

export type Kept = {
  content: Given;
  style: Given;
  settings: Settings;
  /** The feature network: the page's own, the random one, or a file's name. */
  eye: string;
  image: ColourPicture;
  history: History;
  report: PaintingReport;
  /** Which of the sizes it has come to, and the steps taken there. */
  level: number;
  taken: number;
  done: boolean;
  at: number;
};

interface Shelf extends DBSchema {
  easel: { key: string; value: Kept };
}

const KEY = 'painting';
const open = () => openDB<Shelf>('hitofude-style', 1, { upgrade: (db) => void db.createObjectStore('easel') });

export async function keepPainting(painting: Kept): Promise<void> {
  const db = await open();
  await db.put('easel', painting, KEY);
  db.close();
}

export async function keptPainting(): Promise<Kept | undefined> {
  const db = await open();
  const kept = await db.get('easel', KEY);
  db.close();
  return kept;
}
