// A description as a list to walk: every layer with its inputs, and with a ReLU folded into the convolution or affine
// layer before it where nobody else reads that.

/** `layers` is the engine's list, which knows the shape of every layer's output. */
export function walk({ layers: given }, layers) {
  const shapes = Object.fromEntries(layers.map(({ name, shape }) => [name, shape]));
  const nodes = given.map((layer, i) => ({ ...layer, inputs: layer.inputs ?? [i ? given[i - 1].name : 'input'] }));
  const readers = (name) => nodes.filter(({ inputs }) => inputs.includes(name));
  const list = [];
  const renamed = {};
  for (const node of nodes) {
    const inputs = node.inputs.map((name) => renamed[name] ?? name);
    const before = list.find(({ name }) => name === inputs[0]);
    if (node.type === 'relu' && ['conv', 'affine'].includes(before?.type) && readers(node.inputs[0]).length === 1) {
      before.relu = true;
      renamed[node.name] = before.name;
    } else {
      // Behind a flattening the columns of a weight follow its image, channels first.
      const flat = before?.type === 'flatten' ? shapes[before.inputs[0]] : undefined;
      list.push({ stride: 1, pad: 0, ...node, inputs, flat });
    }
  }
  return list;
}
