// A network as a drawing: its layers from left to right by how deep they lie, its branches one above another.

import type { Layer } from '../../lib/types';
import { m } from '../../texts/shell';

/** A layer in the drawing: the convolution stands for the normalisation behind it, too. */
export type Node = { layer: Layer; title: string; parameters: number; column: number; lane: number };
/** A wire between two nodes, by their positions; one that passes over others in its own lane is a skip. */
export type Edge = { from: Node; to: Node; skip: boolean };
export type Drawing = { nodes: Node[]; edges: Edge[]; columns: number; lanes: number };

const TITLES: Record<string, string> = {
  input: m.kind_input(), conv: m.kind_conv(), affine: m.kind_affine(), max_pool: m.kind_max_pool(), average_pool: m.kind_average_pool(),
  global_average_pool: m.kind_global_average_pool(), add: '+', concat: m.kind_concat(), scale: '×', batch_norm: m.kind_batch_norm(), local_response_norm: 'LRN',
};

/** Lays a network out. */
export function draw(layers: Layer[]): Drawing {
  const readers = layers.map((_, i) => layers.flatMap(({ inputs }, reader) => (inputs.includes(i) ? [reader] : [])));
  /** The position that stands for each layer: itself, or for a convolution the normalisation that alone reads it. */
  const stands = layers.map((layer, i) => {
    const [reader] = readers[i] ?? [];
    const alone = readers[i]?.length === 1 && layer.kind === 'conv' && !layer.activation;
    return alone && reader !== undefined && layers[reader]?.kind === 'batch_norm' ? reader : i;
  });
  const steps = stepsToEnd(readers);
  const nodes = new Map<number, Node>();
  for (const [i, layer] of layers.entries()) {
    if (stands[i] !== i) continue;
    const absorbed = layers.findIndex((_, k) => k !== i && stands[k] === i);
    const head = layers[absorbed] ?? layer;
    const inputs = head.inputs.flatMap((k) => nodes.get(stands[k] ?? k) ?? []);
    const column = Math.max(-1, ...inputs.map((node) => node.column)) + 1;
    const title = TITLES[head.kind] ?? head.kind.replaceAll('_', ' ');
    const parameters = layer.parameters + (absorbed < 0 ? 0 : head.parameters);
    let row = lane(absorbed < 0 ? i : absorbed, layers, readers, steps, nodes, stands);
    // A side branch may run beside a later one: who comes second goes below.
    while ([...nodes.values()].some((node) => node.column === column && node.lane === row)) row++;
    nodes.set(i, { layer, title, parameters, column, lane: row });
  }
  const all = [...nodes.values()];
  const edges = [...nodes].flatMap(([i, to]) => {
    const absorbed = layers.findIndex((_, k) => k !== i && stands[k] === i);
    const inputs = (layers[absorbed] ?? to.layer).inputs;
    return inputs.flatMap((k) => {
      const from = nodes.get(stands[k] ?? k);
      if (!from) return [];
      const between = all.some((node) => node.lane === from.lane && node.column > from.column && node.column < to.column);
      return [{ from, to, skip: from.lane === to.lane && between }];
    });
  });
  const columns = 1 + Math.max(0, ...all.map((node) => node.column));
  return { nodes: all, edges, columns, lanes: 1 + Math.max(0, ...all.map((node) => node.lane)) };
}

/** How many layers lie on the longest way from each layer to the last: the trunk is the longest. */
function stepsToEnd(readers: number[][]): number[] {
  const steps = readers.map(() => 0);
  for (let i = readers.length - 1; i >= 0; i--) {
    const behind = (readers[i] ?? []).map((reader) => (steps[reader] ?? 0) + 1);
    // What leads nowhere but to an auxiliary answer is no trunk.
    steps[i] = behind.length ? Math.max(...behind) : i === readers.length - 1 ? 1e6 : 0;
  }
  return steps;
}

/** Where branches part, the longest stays in its lane and the others go below; where they meet, the uppermost goes on. */
function lane(i: number, layers: Layer[], readers: number[][], steps: number[], nodes: Map<number, Node>, stands: number[]): number {
  const inputs = layers[i]?.inputs ?? [];
  if (inputs.length > 1) return Math.min(...inputs.map((k) => nodes.get(stands[k] ?? k)?.lane ?? 0));
  const [input] = inputs;
  if (input === undefined) return 0;
  const from = nodes.get(stands[input] ?? input)?.lane ?? 0;
  // Who joins several wires takes no lane of its own.
  const apart = (readers[stands[input] ?? input] ?? []).filter((reader) => (layers[reader]?.inputs.length ?? 0) === 1);
  const order = [...apart].sort((a, b) => (steps[b] ?? 0) - (steps[a] ?? 0) || a - b);
  return from + Math.max(0, order.indexOf(i));
}
