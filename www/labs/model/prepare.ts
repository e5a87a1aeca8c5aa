// A picture as the numbers that a model reads: its size, its colours, the range and the order of its numbers.

/** How a picture is brought to the input's size: filling it, within it, or pulled to it. */
export type Fit = 'fill' | 'fit' | 'stretch';
/** What 0 and 255 become: 0 and 1, −1 and 1, themselves, or ImageNet's mean and deviation taken off. */
export type Scale = 'unit' | 'signed' | 'bytes' | 'imagenet';

export type Preparation = {
  fit: Fit;
  scale: Scale;
  /** Dark is large, as ink on paper is in MNIST. */
  inverted: boolean;
  /** Blue first, as OpenCV has it. */
  bgr: boolean;
};

/** What a model reads, if that is a picture: where its sides stand among the input's. */
export type Input = { name: string; shape: number[]; channels: number; height: number; width: number; order: 'first' | 'last' | 'flat' };

export const SCALES: Scale[] = ['unit', 'signed', 'bytes', 'imagenet'];

const MEAN = [0.485, 0.456, 0.406];
const DEVIATION = [0.229, 0.224, 0.225];

const isColour = (channels: number | undefined) => channels === 1 || channels === 3;

/** What an input of these sides, the first of them the number of pictures, reads; null where that is no picture. */
export function reads(name: string, shape: number[]): Input | null {
  const [, a = 0, b = 0, c = 0] = shape;
  const sides = shape.slice(1);
  // What is one pixel wide is no picture: a generator's noise, say.
  if (sides.length === 3 && isColour(a) && b > 1 && c > 1) return { name, shape, channels: a, height: b, width: c, order: 'first' };
  if (sides.length === 3 && isColour(c) && a > 1 && b > 1) return { name, shape, channels: c, height: a, width: b, order: 'last' };
  if (sides.length === 2 && a > 1 && b > 1) return { name, shape, channels: 1, height: a, width: b, order: 'flat' };
  const side = Math.sqrt(a);
  if (sides.length === 1 && side > 1 && Number.isInteger(side)) return { name, shape, channels: 1, height: side, width: side, order: 'flat' };
  return null;
}

/** As digits are: 0 for paper, 1 for ink. */
export const CENTRED: Preparation = { fit: 'fit', scale: 'unit', inverted: true, bgr: false };

/** What most models for such an input expect. */
export function usual({ channels }: Input): Preparation {
  return channels === 3 ? { fit: 'fill', scale: 'imagenet', inverted: false, bgr: false } : CENTRED;
}

/** The part of a picture of this size that goes to which part of the input. */
export function placed(width: number, height: number, input: Input, fit: Fit): [x: number, y: number, width: number, height: number] {
  if (fit === 'stretch') return [0, 0, input.width, input.height];
  const scale = (fit === 'fill' ? Math.max : Math.min)(input.width / width, input.height / height);
  const [w, h] = [width * scale, height * scale];
  return [(input.width - w) / 2, (input.height - h) / 2, w, h];
}

/** The input's numbers for pixels (RGBA) of its size. */
export function numbers(pixels: Uint8ClampedArray, input: Input, { scale, inverted, bgr }: Preparation): Float32Array {
  const { channels, height, width, order } = input;
  const size = height * width;
  const out = new Float32Array(channels * size);
  for (let i = 0; i < size; i++) {
    const colours = [pixels[4 * i] ?? 0, pixels[4 * i + 1] ?? 0, pixels[4 * i + 2] ?? 0];
    // ITU-R BT.601: how bright a colour looks.
    const grey = 0.299 * (colours[0] ?? 0) + 0.587 * (colours[1] ?? 0) + 0.114 * (colours[2] ?? 0);
    for (let c = 0; c < channels; c++) {
      const channel = bgr ? channels - 1 - c : c;
      const byte = channels === 1 ? grey : (colours[channel] ?? 0);
      const at = order === 'last' ? i * channels + c : c * size + i;
      out[at] = ranged((inverted ? 255 - byte : byte) / 255, channel, channels, scale);
    }
  }
  return out;
}

/** What an input reads for paper and for ink in each channel, one after the other. */
export function ends(input: Input, prepared: Preparation): Float32Array {
  const pixel = { ...input, height: 1, width: 1 };
  const [paper = [], ink = []] = [255, 0].map((byte) => numbers(new Uint8ClampedArray(4).fill(byte), pixel, prepared));
  return Float32Array.from({ length: 2 * input.channels }, (_, i) => (i % 2 ? ink : paper)[i >> 1] ?? 0);
}

function ranged(value: number, channel: number, channels: number, scale: Scale): number {
  if (scale === 'signed') return 2 * value - 1;
  if (scale === 'bytes') return 255 * value;
  if (scale === 'unit') return value;
  const mean = channels === 1 ? 0.449 : (MEAN[channel] ?? 0);
  const deviation = channels === 1 ? 0.226 : (DEVIATION[channel] ?? 1);
  return (value - mean) / deviation;
}

/**
 * Numbers that a person has typed, with spaces or commas between them; a single one stands for all. Else the word that is no
 * number, or how many there are.
 */
export function listed(text: string, length: number): Float32Array | string | number {
  const words = text.replaceAll('−', '-').split(/[\s,;]+/).filter(Boolean);
  const wrong = words.find((word) => !Number.isFinite(Number(word)));
  if (wrong !== undefined) return wrong;
  if (words.length !== length && words.length !== 1) return words.length;
  return Float32Array.from({ length }, (_, i) => Number(words[words.length === 1 ? 0 : i]));
}

/** Numbers of a normal distribution (Box and Muller), for models that make something of noise. */
export function noise(length: number, seed: number): Float32Array {
  let state = (seed * 2654435761 + 1) >>> 0 || 1;
  const uniform = () => {
    // Marsaglia's xorshift.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 1) / (2 ** 32 + 1);
  };
  return Float32Array.from({ length }, () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
}
