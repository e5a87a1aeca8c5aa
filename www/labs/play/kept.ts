// The learner of each game, kept in the browser's storage: a closed tab costs it seconds.

import { openDB, type DBSchema } from 'idb';
import type { PlayCheckpoint } from '../../lib/types';

export type Kept = {
  game: string;
  /** Settings and seed. */
  run: string;
  checkpoint: PlayCheckpoint;
  /** The points of every episode, and the steps of play at its end. */
  points: number[];
  at: number[];
  saved: number;
};

interface Shelf extends DBSchema {
  learners: { key: string; value: Kept };
}

const open = () => openDB<Shelf>('hitofude-play', 1, { upgrade: (db) => void db.createObjectStore('learners', { keyPath: 'game' }) });

export async function keepLearner(kept: Kept): Promise<void> {
  const db = await open();
  await db.put('learners', kept);
  db.close();
}

export async function keptLearner(game: string): Promise<Kept | undefined> {
  const db = await open();
  const kept = await db.get('learners', game);
  db.close();
  return kept;
}

export async function forgetLearner(game: string): Promise<void> {
  const db = await open();
  await db.delete('learners', game);
  db.close();
}
