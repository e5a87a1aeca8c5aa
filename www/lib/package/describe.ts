// A network's description as the engine takes it: JSON, every layer with a name.

import { HitofudeError, json } from './errors';
import type { NetworkDefinition } from './types';

/** The description in JSON. Layers without a name get one from their type. */
export function described(network: NetworkDefinition): string {
  if (typeof network !== 'object' || network === null) {
    throw new HitofudeError('value', 'a description of a network, an object with input and layers, was expected');
  }
  const { layers }: { layers?: unknown } = network;
  return json('this network', Array.isArray(layers) ? { ...network, layers: called(layers) } : network);
}

function called(layers: unknown[]): unknown[] {
  const isLayer = (layer: unknown): layer is { type?: unknown; name?: unknown } => typeof layer === 'object' && layer !== null;
  const taken = new Set<unknown>(layers.map((layer) => (isLayer(layer) ? layer.name : undefined)));
  return layers.map((layer) => {
    if (!isLayer(layer) || layer.name !== undefined || typeof layer.type !== 'string') return layer;
    let n = 1;
    while (taken.has(layer.type + n)) n++;
    taken.add(layer.type + n);
    return { ...layer, name: layer.type + n };
  });
}
