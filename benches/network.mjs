// DeepConvNet as data, and its weights out of a safetensors file: what both peers are built from.

/** The layers in order; every convolution is 3 × 3 and every pooling 2 × 2 with stride 2. */
export const LAYERS = [
  { kind: 'conv', name: 'conv1', pad: 1 },
  { kind: 'conv', name: 'conv2', pad: 1 },
  { kind: 'pool', name: 'pool1' },
  { kind: 'conv', name: 'conv3', pad: 1 },
  { kind: 'conv', name: 'conv4', pad: 2 },
  { kind: 'pool', name: 'pool2' },
  { kind: 'conv', name: 'conv5', pad: 1 },
  { kind: 'conv', name: 'conv6', pad: 1 },
  { kind: 'pool', name: 'pool3' },
  { kind: 'flatten', name: 'flatten' },
  { kind: 'affine', name: 'affine1', relu: true },
  { kind: 'affine', name: 'affine2', relu: false },
];

/** Channels, height and width of what `flatten` flattens; peers with another channel order need them. */
export const FLATTENED = { c: 64, h: 4, w: 4 };

/** The tensors of a safetensors file (an ArrayBuffer) by name, as `{ shape, data }` with `data` in float32. */
export function readWeights(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const { __metadata__: _, ...header } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const tensor = ([name, { dtype, shape, data_offsets: [from, to] }]) => {
    const bytes = buffer.slice(8 + length + from, 8 + length + to);
    if (dtype === 'F32') return [name, { shape, data: new Float32Array(bytes) }];
    if (dtype === 'F16') return [name, { shape, data: Float32Array.from(new Uint16Array(bytes), fromHalf) }];
    throw new Error(`${name} is ${dtype}; expected F16 or F32`);
  };
  return Object.fromEntries(Object.entries(header).map(tensor));
}

// `DataView.getFloat16` is younger than the oldest Node that this project runs on.
function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
