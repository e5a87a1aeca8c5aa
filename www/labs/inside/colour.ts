// Colour pictures as the ink that a network reads, and back. Where it reads grey, the dream is of the brightness and the
// colours stay.

export type Coloured = { width: number; height: number; data: Uint8ClampedArray };

/** ITU-R BT.601: how bright a pixel looks. */
const luma = (data: Uint8ClampedArray, i: number) => 0.299 * data[i]! + 0.587 * data[i + 1]! + 0.114 * data[i + 2]!;

/** Channels of ink: one, grey, or three, in the order that the network has them in. */
export type Inks = { channels: number; bgr: boolean };

/** Where colour `c` stands among three channels. */
const place = (c: number, bgr: boolean) => (bgr ? 2 - c : c);

/** 0 paper to 1 ink, row by row and channel after channel. */
export function toInk({ width, height, data }: Coloured, { channels, bgr }: Inks): Float32Array {
  const size = width * height;
  if (channels === 1) return Float32Array.from({ length: size }, (_, i) => 1 - luma(data, 4 * i) / 255);
  return Float32Array.from({ length: 3 * size }, (_, i) => 1 - data[4 * (i % size) + place(Math.floor(i / size), bgr)]! / 255);
}

/** Ink as a picture. */
export function picture(ink: Float32Array, width: number, height: number, { channels, bgr }: Inks): ImageData {
  const image = new ImageData(width, height);
  const size = width * height;
  for (let i = 0; i < size; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = 255 * (1 - (ink[channels === 1 ? i : place(c, bgr) * size + i] ?? 0));
    image.data[4 * i + 3] = 255;
  }
  return image;
}

/** How dark each pixel of a picture is that a network has read, which has these for paper and ink in each channel. */
export function darkness(read: Float32Array, ends: Float32Array): Float32Array {
  const channels = ends.length / 2;
  const size = read.length / channels;
  const ink = new Float32Array(size);
  read.forEach((v, i) => {
    const [paper = 0, full = 1] = ends.subarray(2 * Math.floor(i / size));
    ink[i % size]! += (v - paper) / (full - paper) / channels;
  });
  return ink;
}

/** The picture with the brightness of this ink and its own colours; with the ink's colours, if it has any. */
export function fromInk(ink: Float32Array, { width, height, data }: Coloured, inks: Inks): ImageData {
  if (inks.channels > 1) return picture(ink, width, height, inks);
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    const change = 255 * (1 - (ink[i] ?? 0)) - luma(data, 4 * i);
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = data[4 * i + c]! + change;
    image.data[4 * i + 3] = 255;
  }
  return image;
}

/** Draws whatever can be drawn at a size whose longer side is at most `most`, on white. */
export function drawn(source: CanvasImageSource, width: number, height: number, most: number): Coloured {
  const scale = Math.min(1, most / Math.max(width, height));
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [Math.max(28, Math.round(width * scale)), Math.max(28, Math.round(height * scale))];
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('This browser gives no canvas to draw on');
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/** Hills, a sun and rain, drawn by the page: something to dream of without a file. */
export function landscape(side: number): Coloured {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = side;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('This browser gives no canvas to draw on');
  const sky = context.createLinearGradient(0, 0, 0, side);
  sky.addColorStop(0, '#9db4c9');
  sky.addColorStop(1, '#f2e3cf');
  context.fillStyle = sky;
  context.fillRect(0, 0, side, side);
  context.fillStyle = '#d9694a';
  context.beginPath();
  context.arc(0.7 * side, 0.28 * side, 0.11 * side, 0, 2 * Math.PI);
  context.fill();
  ['#8e9a8b', '#63736a', '#3c4a45'].forEach((colour, k) => {
    context.fillStyle = colour;
    context.beginPath();
    context.moveTo(0, side);
    for (let x = 0; x <= side; x += 2) {
      const t = x / side;
      context.lineTo(x, side * (0.52 + 0.14 * k + 0.07 * Math.sin(5 * t + 2 * k) + 0.03 * Math.sin(17 * t + k)));
    }
    context.lineTo(side, side);
    context.fill();
  });
  return context.getImageData(0, 0, side, side);
}
