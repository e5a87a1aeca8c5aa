// What is ink and what is paper: of a picture whose paper may be light, dark or transparent.

import type { Pixels } from './types';

/** How dark the ink was taken to be, beside its paper. */
export type Ink = 'dark' | 'light';

/** What differs less from the paper is paper: cameras and JPEG leave none quite even (data/ink has the same). */
const NOISE = 16;
/** Paper of at least this light is as good as white. */
const WHITE = 240;

/** Luma of ITU-R BT.601, in 256ths. */
const light = (d: Pixels['data'], i: number) => (77 * d[i]! + 150 * d[i + 1]! + 29 * d[i + 2]!) >> 8;

/** Whether less than half of a picture is to be seen, so that what is seen lies on transparent paper. */
function onGlass({ data }: Pixels): boolean {
  let seen = 0;
  for (let i = 3; i < data.length; i += 4) seen += Number(data[i]! >= 128);
  return 8 * seen < data.length;
}

/** The mean lightness of what is to be seen; nothing is black. */
function meanLight({ data }: Pixels): number {
  let [sum, weight] = [0, 0];
  for (let i = 0; i < data.length; i += 4) [sum, weight] = [sum + light(data, i) * data[i + 3]!, weight + data[i + 3]!];
  return weight ? sum / weight : 0;
}

/** The lightness in the middle of all that is to be seen: the paper's, as long as there is less ink than paper. */
function paperOf({ data }: Pixels): number {
  const counts = new Uint32Array(256);
  let seen = 0;
  for (let i = 0; i < data.length; i += 4) if (data[i + 3]! >= 128) [counts[light(data, i)]!++, seen++];
  let below = 0;
  return Math.max(0, counts.findIndex((count) => (below += count) * 2 >= seen));
}

/** How much ink is on each pixel, 0 to 255, and which kind of ink that is. */
export function coverage(picture: Pixels): { ink: Ink; width: number; height: number; pixels: Uint8Array<ArrayBuffer> } {
  const { data, width, height } = picture;
  const glass = onGlass(picture);
  const paper = glass ? 0 : paperOf(picture);
  const ink: Ink = glass ? (meanLight(picture) > 127 ? 'light' : 'dark') : darkerThan(picture, paper) ? 'dark' : 'light';
  const of = ink === 'dark' ? dark(glass || paper >= WHITE ? 255 : paper) : bright(paper);
  const pixels = new Uint8Array(width * height);
  for (let i = 0; i < pixels.length; i++) {
    const value = of(light(data, 4 * i), data[4 * i + 3]!);
    pixels[i] = value < NOISE ? 0 : value;
  }
  return { ink, width, height, pixels };
}

/** Whether more of a picture is darker than its paper than lighter. */
function darkerThan({ data }: Pixels, paper: number): boolean {
  let [down, up] = [0, 0];
  for (let i = 0; i < data.length; i += 4) {
    const off = ((light(data, i) - paper) * data[i + 3]!) / 255;
    if (off < -NOISE) down -= off;
    if (off > NOISE) up += off;
  }
  return down === up ? paper >= 128 : down > up;
}

type Of = (light: number, alpha: number) => number;

const dark = (paper: number): Of => (light, alpha) => (Math.max(0, paper - light) * alpha) / paper;
const bright = (paper: number): Of => (light, alpha) => (Math.max(0, light - paper) * alpha) / (255 - paper);

/** The picture on paper that its ink is seen on, black behind light ink and white behind dark; one without holes stays as it is. */
export function onPaper(picture: Pixels): { ink?: Ink; data: Pixels['data'] } {
  const { data } = picture;
  let whole = true;
  for (let i = 3; i < data.length && whole; i += 4) whole = data[i] === 255;
  if (whole) return { data };
  const ink: Ink = meanLight(picture) > 127 ? 'light' : 'dark';
  const paper = ink === 'light' ? 0 : 255;
  const out = new Uint8ClampedArray(data.length);
  for (let i = 0; i < data.length; i++) {
    const alpha = data[i | 3]! / 255;
    out[i] = (i & 3) === 3 ? 255 : data[i]! * alpha + paper * (1 - alpha);
  }
  return { ink, data: out };
}
