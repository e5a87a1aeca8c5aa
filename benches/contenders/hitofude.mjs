// One of our builds: its own instance of the glue, so that both can live in one page.

import { NETWORKS, RATE } from '../cases.mjs';

const PURPOSE = { forward: 'infer', train: 'train', gradient: 'explain', style: 'infer' };
const FEATURES = '/pretrained/style/features.safetensors';

export async function hitofude(build, at = '/www/public/wasm/studio/') {
  const glue = await import(`${at}hitofude.js?${build}`);
  await glue.default({ module_or_path: `${at}${build}.wasm` });
  if (glue.build() !== build) throw new Error(`${build}.wasm says it is ${glue.build()}`);
  const can = ['forward', 'train', 'gradient', 'style'];
  const ready = (kase, ...given) => (kase.task === 'style' ? painting(glue, kase) : prepare(glue.Network, kase, ...given));
  return { name: `hitofude ${build}`, can, glue, prepare: ready };
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

/** Neural style in the network that ships: a run is a step, line search and all; its answer the loss. */
async function painting({ FeatureNetwork, Painting, picture }, { network }) {
  const features = new FeatureNetwork(new Uint8Array(await (await fetch(FEATURES)).arrayBuffer()));
  const [, height, width] = NETWORKS[network].input;
  const [content, style] = ['torii', 'starry'].map((name) => picture(name, width, height, 1));
  const painting = new Painting(features, content, style, { width, height });
  return { run: () => Float32Array.of(painting.step().loss), free: () => (painting.free(), features.free()) };
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
