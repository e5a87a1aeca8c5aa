// What the page keeps in the browser's storage: trainings to go on with, the pictures they learn from, and the hand that a
// network has been taught.

import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import type { Preparation } from '../labs/model/prepare';
import type { Taught } from '../worker/teach/protocol';
import type { Saved } from '../worker/train/protocol';
import type { Example, IdxFiles } from './types';

/** IDX files: pictures to learn from and to choose by, and those that only score at the end. */
export type Files = IdxFiles & { testImages?: Uint8Array; testLabels?: Uint8Array };

/** Pictures as they came, under the hash of their bytes; `drawn` ones are drawings on the page's pad. */
export type Kept = { key: string; name: string; files: Files; classes: string[]; at: number; drawn?: boolean };

/** The drawings that a network has been corrected on, and what it has learnt from them; `base` hashes its first weights. */
export type KeptHand = { model: string; base: string; examples: Example[]; taught: Taught | null };

/**
 * A model from elsewhere, as a safetensors file, with the names of its classes and how its pictures are prepared; `own` is the
 * one that labs pass on.
 */
export type KeptModel = { key: 'own'; name: string; file: Uint8Array<ArrayBuffer>; classes: string[]; prepared?: Preparation };

interface Shelves extends DBSchema {
  runs: { key: string; value: Saved };
  pictures: { key: string; value: Kept };
  hands: { key: string; value: KeptHand };
  models: { key: string; value: KeptModel };
}

/** Trainings beyond these, and pictures, give way to newer ones. */
const RUNS = 8;
const PICTURES = 4;

let shelves: Promise<IDBPDatabase<Shelves>> | undefined;

function open(): Promise<IDBPDatabase<Shelves>> {
  shelves ??= openDB<Shelves>('hitofude', 3, {
    upgrade(db, before) {
      if (before < 1) {
        db.createObjectStore('runs', { keyPath: 'id' });
        db.createObjectStore('pictures', { keyPath: 'key' });
      }
      if (before < 2) db.createObjectStore('hands', { keyPath: 'model' });
      db.createObjectStore('models', { keyPath: 'key' });
    },
    // A newer version of the page, in another tab, waits for this one to let go.
    blocking(_current, _blocked, event) {
      (event.target as IDBDatabase).close();
      shelves = undefined;
    },
    terminated: () => (shelves = undefined),
  });
  shelves.catch(() => (shelves = undefined));
  return shelves;
}

/** Keeps a training in place of its older self. Either all of it is written or the older one stays. */
export async function saveRun(run: Saved): Promise<void> {
  const db = await open();
  const fresh = (await db.getKey('runs', run.id)) === undefined;
  await db.put('runs', run);
  if (fresh) await prune('runs', RUNS);
}

export async function savedRun(id: string): Promise<Saved | undefined> {
  return (await open()).get('runs', id);
}

export async function forgetRun(id: string): Promise<void> {
  await (await open()).delete('runs', id);
}

export async function keepPictures(kept: Kept): Promise<void> {
  await (await open()).put('pictures', kept);
  await prune('pictures', PICTURES);
}

export async function keptPictures(key: string): Promise<Kept | undefined> {
  return (await open()).get('pictures', key);
}

/** The pictures that are there, the newest first, without their bytes. */
export async function listPictures(): Promise<{ key: string; name: string }[]> {
  const all = await (await open()).getAll('pictures');
  return all.sort((a, b) => b.at - a.at).map(({ key, name }) => ({ key, name }));
}

/** Keeps a hand in place of what its network knew before. */
export async function keepHand(hand: KeptHand): Promise<void> {
  await (await open()).put('hands', hand);
}

export async function keptHand(model: string): Promise<KeptHand | undefined> {
  return (await open()).get('hands', model);
}

export async function forgetHand(model: string): Promise<void> {
  await (await open()).delete('hands', model);
}

/** Keeps a model for the other labs. */
export async function keepModel(model: KeptModel): Promise<void> {
  await (await open()).put('models', model);
}

export async function keptModel(): Promise<KeptModel | undefined> {
  return (await open()).get('models', 'own');
}

async function prune(shelf: 'runs' | 'pictures', most: number): Promise<void> {
  const db = await open();
  const all = (await db.getAll(shelf)).sort((a, b) => b.at - a.at);
  await Promise.all(all.slice(most).map((old) => db.delete(shelf, 'id' in old ? old.id : old.key)));
}
