// A model's rows as the layers that the page draws: activations stand with what they follow, every name is told apart.

import type { Layer, Row } from '../../lib/types';

/** A layer as it is drawn, with the row whose values it shows. */
export type Drawn = Layer & { row: number };

/** ONNX operators under the names that this engine's layers have. */
const KINDS: Record<string, string> = {
  Conv: 'conv', ConvTranspose: 'conv_transpose', Gemm: 'affine', MatMul: 'affine', MaxPool: 'max_pool', AveragePool: 'average_pool',
  GlobalAveragePool: 'global_average_pool', ReduceMean: 'global_average_pool', BatchNormalization: 'batch_norm', Add: 'add', Sum: 'add',
  Concat: 'concat', Mul: 'scale', LRN: 'local_response_norm', Flatten: 'flatten', Reshape: 'reshape', Softmax: 'softmax',
};
const ACTIVATIONS = /^(relu6?|leaky_?relu|prelu|elu|selu|celu|gelu|silu|sigmoid|hard_?sigmoid|hard_?swish|tanh|softplus|softsign|clip|mish)$/i;
/** What leaves every number as it is. */
const NOTHING = /^(identity|dropout|stochastic_depth|cast)$/i;

/** Channels, height, width of what a row makes; what has more sides is one long row. */
export function sides(shape: number[]): [number, number, number] {
  const [c = 1, h = 1, w = 1] = shape;
  if (shape.length === 2) return [c, 1, h];
  return shape.length <= 3 ? [c, h, w] : [shape.reduce((a, b) => a * b, 1), 1, 1];
}

/** The layers of a model. */
export function layersOf(rows: Row[]): Drawn[] {
  const readers = rows.map(() => 0);
  for (const { inputs } of rows) for (const input of inputs) readers[input] = (readers[input] ?? 0) + 1;
  const layers: Drawn[] = [];
  /** The layer in which each row has gone. */
  const stands: number[] = [];
  const names = new Map<string, number>();
  for (const [i, row] of rows.entries()) {
    const from = row.inputs[0];
    const before = from === undefined ? undefined : layers[stands[from] ?? -1];
    const alone = row.inputs.length === 1 && from !== undefined && readers[from] === 1 && before;
    const bends = ACTIVATIONS.test(row.kind);
    if (alone && before && before.kind !== 'input' && (NOTHING.test(row.kind) || (bends && !before.activation))) {
      if (bends) [before.activation, before.row] = [row.kind.toLowerCase(), i];
      before.parameters += row.parameters;
      stands[i] = stands[from] as number;
      continue;
    }
    const named = row.name || row.kind;
    const times = (names.get(named) ?? 0) + 1;
    names.set(named, times);
    stands[i] = layers.length;
    layers.push({
      name: times === 1 ? named : `${named} (${times})`,
      kind: KINDS[row.kind] ?? (/^[A-Z]/.test(row.kind) ? row.kind.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase() : row.kind),
      activation: null,
      inputs: [...new Set(row.inputs.map((input) => stands[input] ?? 0))],
      shape: sides(row.shape),
      formula: '',
      parameters: row.parameters,
      multiplyAdds: row.multiplyAdds,
      row: i,
    });
  }
  return layers;
}
