// One of our builds: its own instance of the glue, so that both can live in one page.

import { NETWORKS, RATE } from '../cases.mjs';

const PURPOSE = { forward: 'infer', train: 'train', gradient: 'explain' };

export async function hitofude(build, at = '/www/public/wasm/studio/') {
  const glue = await import(`${at}hitofude.js?${build}`);
  await glue.default({ module_or_path: `${at}${build}.wasm` });
  if (glue.build() !== build) throw new Error(`${build}.wasm says it is ${glue.build()}`);
  const can = ['forward', 'train', 'gradient'];
  return { name: `hitofude ${build}`, can, glue, prepare: (kase, ...given) => prepare(glue.Network, kase, ...given) };
}

/** A network for a case, before its weights are there. */
export function network(Network, { network, batch, task }) {
  return new Network(JSON.stringify(NETWORKS[network]), batch, PURPOSE[task], 1);
}

function prepare(Network, kase, weights, { images, targets, dy }) {
  const net = network(Network, kase);
  for (const [name, { data }] of Object.entries(weights)) net.setWeights(name, data);
  const run = {
    forward: () => net.forward(images),
    train: () => net.step(images, targets, RATE, 0),
    gradient: () => (net.forward(images), net.inputGradient(dy)),
  };
  return { run: run[kase.task], free: () => net.free(), profile: () => profile(net, images, kase.task), planBytes: net.planBytes };
}

/** Milliseconds of each layer in one pass, forward and, unless it only infers, backward. */
export function profile(net, images, task) {
  const layers = net.layers();
  const timed = (run) => {
    const start = performance.now();
    run();
    return performance.now() - start;
  };
  net.load(images);
  const forward = layers.map((_, i) => timed(() => net.forwardLayer(i)));
  if (task === 'forward') return { forward, backward: layers.map(() => 0) };
  const backward = layers.map((_, i) => timed(() => net.backwardLayer(layers.length - 1 - i)));
  return { forward, backward: backward.reverse() };
}
