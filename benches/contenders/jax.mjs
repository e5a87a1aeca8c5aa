// jax-js on its wasm device: a compiled function for each task, gradients by its own differentiation.

import { NETWORKS, RATE } from '../cases.mjs';
import { walk } from '../graph.mjs';

export async function jax() {
  const jx = await import('/benches/node_modules/@jax-js/jax/dist/index.js');
  await jx.init('wasm');
  jx.defaultDevice('wasm');
  return {
    name: '@jax-js/jax wasm',
    can: ['forward', 'train', 'gradient'],
    prepare: (kase, weights, data, layers) => prepare(jx, kase, weights, data, walk(NETWORKS[kase.network], layers)),
  };
}

// Every use of an array but its last one takes a reference of its own (`.ref`): this library counts them.
function prepare(jx, { network, batch, task }, weights, { images, targets, dy }, nodes) {
  const { numpy: np } = jx;
  const tensor = (data, shape) => np.array(data).reshape(shape);
  const copies = (tree) => jx.tree.ref(tree);
  const answer = (params, x) => forwardPass(jx, nodes, params, x);
  const rows = targets.length / batch;
  let state = {
    params: Object.fromEntries(Object.entries(weights).map(([name, { shape, data }]) => [name, tensor(data, shape)])),
  };
  const x = tensor(images, [batch, ...NETWORKS[network].input]);
  const constants = { t: tensor(targets, [batch, rows]), dy: tensor(dy, [batch, rows]) };
  const forward = jx.jit(answer);
  const gradient = jx.jit((x, params, dy) => jx.grad((x, params, dy) => answer(params, x).reshape([batch, rows]).mul(dy).sum())(x, params, dy));
  const loss = (params, x, t) => jx.nn.logSoftmax(answer(params, x)).mul(t).sum().mul(-1 / batch);
  const step = jx.jit(({ params, m, v, power1, power2 }, x, t) => {
    const [value, gradients] = jx.valueAndGrad(loss)(copies(params), x, t);
    return [value, adam(jx, { params, m, v, power1, power2 }, gradients)];
  });
  if (task === 'train') {
    const zeros = () => Object.fromEntries(Object.entries(weights).map(([name, { shape }]) => [name, np.zeros(shape)]));
    state = { ...state, m: zeros(), v: zeros(), power1: np.array(1), power2: np.array(1) };
  }
  const run = {
    forward: () => forward(copies(state.params), x.ref).dataSync(),
    gradient: () => gradient(x.ref, copies(state.params), constants.dy.ref).dataSync(),
    train: () => {
      const [value, next] = step(state, x.ref, constants.t.ref);
      state = next;
      return value.dataSync()[0];
    },
  };
  return { run: run[task], free: () => jx.tree.dispose({ state, x, constants }) };
}

/** Kingma and Ba 2015, on every parameter. */
function adam({ numpy: np }, { params, m, v, power1, power2 }, gradients) {
  const next = { params: {}, m: {}, v: {}, power1: power1.mul(0.9), power2: power2.mul(0.999) };
  for (const name of Object.keys(params)) {
    const g = gradients[name];
    next.m[name] = m[name].mul(0.9).add(g.ref.mul(0.1));
    next.v[name] = v[name].mul(0.999).add(g.ref.mul(g).mul(0.001));
    const mean = next.m[name].ref.div(np.subtract(1, next.power1.ref));
    const root = np.sqrt(next.v[name].ref.div(np.subtract(1, next.power2.ref)));
    next.params[name] = params[name].sub(mean.mul(RATE).div(root.add(1e-8)));
  }
  return next;
}

function forwardPass(jx, nodes, params, input) {
  const values = { input };
  const uses = Object.fromEntries(['input', ...nodes.map(({ name }) => name)].map((name) => [name, nodes.filter(({ inputs }) => inputs.includes(name)).length]));
  const take = (name) => (--uses[name] > 0 ? values[name].ref : values[name]);
  for (const node of nodes) {
    const y = layer(jx, node, params, node.inputs.map(take));
    values[node.name] = node.relu ? jx.nn.relu(y) : y;
  }
  return values[nodes.at(-1).name];
}

function layer({ numpy: np, lax, nn }, { name, type, kernel, stride, pad }, params, [x, other]) {
  const [weight, bias] = [params[`${name}.weight`], params[`${name}.bias`]];
  const pads = [[pad, pad], [pad, pad]];
  switch (type) {
    case 'conv': return lax.convGeneralDilated(x, weight, [stride, stride], pads).add(bias.reshape([-1, 1, 1]));
    case 'affine': return np.matmul(x, weight.transpose()).add(bias);
    // It pools without padding; behind a ReLU zeros are as good as nothing.
    case 'max_pool': return lax.reduceWindow(pad ? np.pad(x, [[0, 0], [0, 0], ...pads]) : x, np.max, [kernel, kernel], [stride, stride]);
    case 'global_average_pool': return np.mean(x, [2, 3]);
    case 'flatten': return x.reshape([x.shape[0], -1]);
    case 'relu': return nn.relu(x);
    case 'add': return x.add(other);
    default: throw new Error(`no jax-js operator for ${type}`);
  }
}
