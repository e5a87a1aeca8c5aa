// What is measured: networks as the engine's own descriptions in JSON, and the numbers that go into them. Every
// contender, the page's Bench lab and the native comparison are built from these.

/** @typedef {{ name: string, type: string, inputs?: string[], [option: string]: unknown }} LayerSpec */
/** @typedef {{ input: number[], layers: LayerSpec[] }} Spec */
/** @typedef {'forward' | 'train' | 'gradient'} Task */
/** @typedef {{ id: string, title: string, network: 'deepConvNet' | 'resnet18' | 'conv64' | 'features', batch: number, task: Task, turns: number }} Case */
/** @typedef {{ name: string, shape: number[] }} Parameter */
/** @typedef {Record<string, { shape: number[], data: Float32Array }>} Weights */

/** @param {string} name @param {number} out @param {number} kernel @param {object} [more] @returns {LayerSpec} */
const conv = (name, out, kernel, more) => ({ name, type: 'conv', out, kernel, ...more });
/** @param {string} name @returns {LayerSpec} */
const relu = (name) => ({ name, type: 'relu' });

/** DeepConvNet (src/zoo/deep_convnet.rs) without its dropout, so that every contender takes the same steps. */
function deepConvNet() {
  /** @type {LayerSpec[]} */
  const layers = [];
  [[16, 1], [16, 1], [32, 1], [32, 2], [64, 1], [64, 1]].forEach(([out = 0, pad], i) => {
    layers.push(conv(`conv${i + 1}`, out, 3, { pad }), relu(`relu${i + 1}`));
    if (i % 2) layers.push({ name: `pool${(i + 1) / 2}`, type: 'max_pool', kernel: 2, stride: 2 });
  });
  layers.push({ name: 'flatten', type: 'flatten' }, { name: 'affine1', type: 'affine', out: 50 }, relu('relu7'));
  return { input: [1, 28, 28], layers: [...layers, { name: 'affine2', type: 'affine', out: 10 }] };
}

/** ResNet-18 (He et al. 2016), its batch normalisations folded into the convolutions, as every runtime folds them. */
function resnet18() {
  const layers = [
    conv('conv1', 64, 7, { stride: 2, pad: 3 }),
    relu('relu1'),
    { name: 'pool1', type: 'max_pool', kernel: 3, stride: 2, pad: 1 },
  ];
  let from = 'pool1';
  for (const [stage, out] of [64, 128, 256, 512].entries()) {
    for (const block of [1, 2]) {
      const at = `s${stage + 1}b${block}`;
      const stride = stage > 0 && block === 1 ? 2 : 1;
      layers.push(
        { ...conv(`${at}conv1`, out, 3, { stride, pad: 1 }), inputs: [from] },
        relu(`${at}relu1`),
        conv(`${at}conv2`, out, 3, { pad: 1 }),
      );
      const shortcut = stride === 2 ? `${at}down` : from;
      if (stride === 2) layers.push({ ...conv(shortcut, out, 1, { stride }), inputs: [from] });
      layers.push({ name: `${at}add`, type: 'add', inputs: [`${at}conv2`, shortcut] }, relu(`${at}relu2`));
      from = `${at}relu2`;
    }
  }
  layers.push({ name: 'pool2', type: 'global_average_pool' }, { name: 'flatten', type: 'flatten' });
  return { input: [3, 224, 224], layers: [...layers, { name: 'affine', type: 'affine', out: 1000 }] };
}

/** What style transfer does: 3 × 3 convolutions of 64 maps at full size, behind one that makes 64 of an image's three. */
function conv64() {
  const layers = Array.from({ length: 5 }, (_, i) => [conv(`conv${i}`, 64, 3, { pad: 1 }), relu(`relu${i}`)]).flat();
  return { input: [3, 128, 128], layers: [...layers, { name: 'mean', type: 'global_average_pool' }] };
}

/** The feature network that neural style looks through (src/zoo/style.rs), its last maps' means for an answer. */
function features() {
  /** @type {LayerSpec[]} */
  const layers = [];
  [[16, 16], [32, 32], [48, 48], [64]].forEach((widths, stage) => {
    if (stage > 0) layers.push({ name: `pool${stage}`, type: 'average_pool', kernel: 2, stride: 2 });
    widths.forEach((out, i) => layers.push(conv(`conv${stage + 1}_${i + 1}`, out, 3, { pad: 1 }), relu(`relu${stage + 1}_${i + 1}`)));
  });
  return { input: [3, 256, 256], layers: [...layers, { name: 'mean', type: 'global_average_pool' }, { name: 'flatten', type: 'flatten' }] };
}

/** @type {Record<Case['network'], Spec>} */
export const NETWORKS = { deepConvNet: deepConvNet(), resnet18: resnet18(), conv64: conv64(), features: features() };

/** @type {Case[]} In the order of reading; `turns` slices a round, more for what is quick. */
export const CASES = [
  { id: 'b1', title: 'DeepConvNet, 1 picture', network: 'deepConvNet', batch: 1, task: 'forward', turns: 4 },
  { id: 'b100', title: 'DeepConvNet, 100 pictures', network: 'deepConvNet', batch: 100, task: 'forward', turns: 1 },
  { id: 'train32', title: 'DeepConvNet, training step of 32', network: 'deepConvNet', batch: 32, task: 'train', turns: 1 },
  { id: 'train100', title: 'DeepConvNet, training step of 100', network: 'deepConvNet', batch: 100, task: 'train', turns: 1 },
  { id: 'resnet18', title: 'ResNet-18, 3×224×224', network: 'resnet18', batch: 1, task: 'forward', turns: 1 },
  { id: 'conv64', title: '3×3 convolutions of 64 maps, 128×128', network: 'conv64', batch: 1, task: 'forward', turns: 1 },
  { id: 'conv64g', title: 'the same and the gradient of its input', network: 'conv64', batch: 1, task: 'gradient', turns: 1 },
];

/** @type {(Omit<Case, 'task'> & { task: Task | 'style' })[]} Neural style, apart: `npm run bench -- --style`. */
export const STYLE_CASES = [
  { id: 'features', title: 'the feature network of neural style, 3×256×256', network: 'features', batch: 1, task: 'forward', turns: 1 },
  { id: 'style', title: 'a step of L-BFGS through it: forward, losses, backward', network: 'features', batch: 1, task: 'style', turns: 1 },
];

/** Adam's rate in training steps: small, so that a hundred steps on one batch do not end in zeros. */
export const RATE = 3e-4;

/** Uniform numbers from 0 to 1 (Park and Miller 1988). @param {number} seed */
function uniform(seed) {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

/** Weights drawn uniformly with He's variance; biases a little off zero, so that a forgotten one is noticed.
 * @param {Parameter[]} parameters @returns {Weights} */
export function drawWeights(parameters) {
  const random = uniform(1);
  return Object.fromEntries(
    parameters.map(({ name, shape }) => {
      const size = shape.reduce((a, b) => a * b);
      const bound = shape.length > 1 ? Math.sqrt((6 * /** @type {number} */ (shape[0])) / size) : 0.1;
      return [name, { shape, data: Float32Array.from({ length: size }, () => bound * (2 * random() - 1)) }];
    }),
  );
}

/** What goes into a case: images, target rows for training, the answers' gradient; NCHW.
 * @param {Case} kase @param {number} answer numbers in one answer */
export function drawData({ network, batch }, answer) {
  const random = uniform(2);
  const numbers = (/** @type {number} */ length) => Float32Array.from({ length }, random);
  const images = numbers(batch * NETWORKS[network].input.reduce((a, b) => a * b));
  const targets = new Float32Array(batch * answer);
  for (let i = 0; i < batch; i++) targets[i * answer + Math.floor(random() * answer)] = 1;
  return { images, targets, dy: numbers(batch * answer) };
}
