// The work itself, the same in the training thread and in its helpers.

import { unpacked } from '../../lib/gzip';
import type { Classified, IdxFiles } from '../../lib/types';
import { Samples as StudioSamples, type Learner } from '../../public/wasm/studio/hitofude.js';
import type { Learnt, Pictures, Shard } from './protocol';

/** Computes shards `from` to before `to` of a step. What the engine refuses is an answer, not a broken worker. */
export function learn(learner: Learner, params: Float32Array, step: number, from: number, to: number): Learnt {
  const start = performance.now();
  const shards: Shard[] = [];
  try {
    learner.receive(params);
    for (let shard = from; shard < to; shard++) {
      const sums = learner.learn(step, shard);
      shards.push({ gradient: learner.gradient(), sums });
    }
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return { refused: error.message };
  }
  return { shards, milliseconds: performance.now() - start };
}

/** Pictures classified at a time. A fixed number, so that the mean loss has the same bits for any number of workers. */
export const PIECE = 100;

/** Classifies pieces `from` to before `to` of the first `count` pictures to choose by. */
export function classify(learner: Learner, params: Float32Array, from: number, to: number, count: number): Classified[] {
  learner.receive(params);
  return Array.from({ length: to - from }, (_, i) => {
    const first = (from + i) * PIECE;
    return learner.classify(first, Math.min(first + PIECE, count));
  });
}

/** Whether the engine has said no; anything else that it throws means that it is broken. */
export function isRefusal(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

/** The beginnings and ends of `count` things dealt evenly to so many hands, those first that come first. */
export function deal(count: number, hands: number): [from: number, to: number][] {
  return Array.from({ length: hands }, (_, hand) => [Math.floor((count * hand) / hands), Math.floor((count * (hand + 1)) / hands)]);
}

type Kind<S> = { fromGenerator(seed: number, train: number, validation: number): S; fromIdx(files: IdxFiles, classes: number): S };

/** Opens pictures for this worker's engine, or for another of its modules by that one's own class. */
export function samplesOf(pictures: Pictures): Promise<StudioSamples>;
export function samplesOf<S>(pictures: Pictures, kind: Kind<S>): Promise<S>;
export async function samplesOf(pictures: Pictures, kind: Kind<unknown> = StudioSamples): Promise<unknown> {
  if ('generator' in pictures) {
    const { seed, train, validation } = pictures.generator;
    return kind.fromGenerator(seed, train, validation);
  }
  // The test pictures are for the end, and opened there.
  const { testImages: _images, testLabels: _labels, ...files } = pictures.files;
  const plain = await Promise.all(Object.entries(files).map(async ([name, file]) => [name, await unpacked(file)] as const));
  return kind.fromIdx(Object.fromEntries(plain) as IdxFiles, pictures.classes);
}

/** The test pictures, as those to choose by of a set of their own; null where there are none. */
export async function testOf(pictures: Pictures): Promise<StudioSamples | null> {
  if ('generator' in pictures) {
    const { seed, test } = pictures.generator;
    return StudioSamples.fromGenerator(seed + 1, 1, test);
  }
  const { testImages, testLabels } = pictures.files;
  if (!testImages || !testLabels) return null;
  const [images, labels] = await Promise.all([unpacked(testImages), unpacked(testLabels)]);
  return StudioSamples.fromIdx({ images, labels, validationImages: images, validationLabels: labels }, pictures.classes);
}

/** How many test pictures there are: an IDX file of labels has a byte for each behind a head of eight. */
export async function testsIn(pictures: Pictures): Promise<number> {
  if ('generator' in pictures) return pictures.generator.test;
  const { testImages, testLabels } = pictures.files;
  return testImages && testLabels ? Math.max(0, (await unpacked(testLabels)).length - 8) : 0;
}
