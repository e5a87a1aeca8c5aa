// The pictures of the Precision lab: what ranges are chosen by, what a search chooses by, and what scores.

import { unpacked } from '../../lib/gzip';
import type { Stroke } from '../../lib/types';
import { preprocess, Samples } from '../../public/wasm/bits/hitofude.js';
import type { Part } from './protocol';

export const SIZE = 28 * 28;
/** Made digits of one seed choose, of another score: neither is seen by the other. */
const [CALIBRATION, CHOOSING, SCORING] = [400, 300, 500];
const [OWN_SEED, SCORE_SEED] = [22, 2022];
/** Where a drawing stands on the pad: its longer side, and the longer side of the file's own. */
const [PAD_SIDE, FILE_SIDE] = [0.72, 255];

type Labelled = { images: Float32Array; labels: Uint8Array };
type Line = { digit: number; strokes: Stroke[] };

export class Pictures {
  #parts: Partial<Record<Part, Labelled>> = {};
  #lines: Line[] = [];
  #learning: { calibration: Labelled; choosing: Labelled } | undefined;

  async take(drawings: string, mnist: { images: Uint8Array; labels: Uint8Array } | null): Promise<Record<Part, number>> {
    this.#lines = drawings.split('\n').filter(Boolean).map((line) => placed(JSON.parse(line) as Line));
    this.#parts.drawings = {
      images: joined(this.#lines.map(({ strokes }) => preprocess({ strokes }).at(-1)!.pixels)),
      labels: Uint8Array.from(this.#lines, ({ digit }) => digit),
    };
    const own = Samples.fromGenerator(OWN_SEED, CALIBRATION, CHOOSING);
    this.#learning = { calibration: drawn(own, 'train'), choosing: drawn(own, 'validation') };
    own.free();
    const scoring = Samples.fromGenerator(SCORE_SEED, 1, SCORING);
    this.#parts.made = drawn(scoring, 'validation');
    scoring.free();
    if (mnist) this.#parts.mnist = await idx(mnist);
    return { drawings: this.#count('drawings'), made: this.#count('made'), mnist: this.#count('mnist') };
  }

  calibration = (): Float32Array => this.#own().calibration.images;
  choosing = (): Labelled => this.#own().choosing;
  labels = (part: Part): Uint8Array => this.#part(part).labels;

  of(part: Part, from: number, count: number): Float32Array {
    return this.#part(part).images.subarray(from * SIZE, (from + count) * SIZE);
  }

  shown(part: Part, which: number[]): Float32Array {
    return joined(which.map((i) => this.of(part, i, 1)));
  }

  strokes(which: number): Line {
    return this.#lines[which % this.#lines.length]!;
  }

  #count(part: Part): number {
    return this.#parts[part]?.labels.length ?? 0;
  }

  #own() {
    if (!this.#learning) throw new Error('the pictures are not there yet');
    return this.#learning;
  }

  #part(part: Part): Labelled {
    const found = this.#parts[part];
    if (!found) throw new Error(`there are no pictures called ${part}`);
    return found;
  }
}

/** Every picture of a part, in its order. */
function drawn(samples: Samples, part: 'train' | 'validation'): Labelled {
  const labels = new Uint8Array(samples.labels(part));
  return { images: joined(Array.from(labels, (_, i) => samples.picture(part, i))), labels };
}

async function idx({ images, labels }: { images: Uint8Array; labels: Uint8Array }): Promise<Labelled> {
  const [validationImages, validationLabels] = await Promise.all([unpacked(images), unpacked(labels)]);
  // What scores is handed over as pictures to choose by, which keep their order.
  const samples = Samples.fromIdx({ images: validationImages, labels: validationLabels, validationImages, validationLabels }, 10);
  const all = drawn(samples, 'validation');
  samples.free();
  return all;
}

function joined(pictures: Float32Array[]): Float32Array {
  const all = new Float32Array(pictures.length * SIZE);
  pictures.forEach((picture, i) => all.set(picture, i * SIZE));
  return all;
}

/** A line of the file in units of the pad's side, in the middle of the pad. */
function placed({ digit, strokes }: Line): Line {
  const [xs, ys] = [0, 1].map((axis) => strokes.flat().map((point) => point[axis]!)) as [number[], number[]];
  const middle = (values: number[]) => (Math.min(...values) + Math.max(...values)) / 2;
  const [x0, y0] = [middle(xs), middle(ys)];
  const place = ([x, y]: readonly [number, number]): [number, number] => [0.5 + ((x - x0) / FILE_SIDE) * PAD_SIDE, 0.5 + ((y - y0) / FILE_SIDE) * PAD_SIDE];
  return { digit, strokes: strokes.map((stroke) => stroke.map(place)) };
}
