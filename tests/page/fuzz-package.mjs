// Calls of the package in any order with any arguments, in Node and in a page: each ends in an answer or in a refusal with a code.

const SEVEN = { strokes: [[[0, 0], [60, 0], [25, 100]]] };
const NAMES = ['cat', 'dog', 'bird'];
const NET = { input: [1, 8, 8], layers: [{ type: 'flatten', name: 'f' }, { type: 'affine', name: 'out', out: 3 }] };
const image = (c, i) => Float32Array.from({ length: 64 }, (_, k) => (c === 0 ? +(k < 32) : c === 1 ? +(k % 8 < 4) : +(k >> 3 === k % 8)) * 0.8 + ((i * 37 + k * 11) % 20) / 100);
const examples = (n, from) => ({ inputs: Array.from({ length: n }, (_, i) => image(i % 3, i + from)), labels: Array.from({ length: n }, (_, i) => i % 3) });
const bits = async (model) => (await model.predict(SEVEN)).probabilities.join();

/** Numbers from 0 to 1, by mulberry32. */
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Asks so many times and resolves to how many answers there were; throws for a call that hangs or throws anything else. */
export async function fuzz({ load, define, HitofudeError }, calls, seed) {
  const chance = random(seed);
  const any = (list) => list[Math.floor(chance() * list.length)];
  const files = await Promise.all(['safetensors-f32', 'safetensors-f16', 'onnx', 'npz'].map(async (format) => (await define(NET)).save(format)));
  const torn = () => {
    const file = any(files).slice(0, chance() < 0.5 ? undefined : Math.floor(chance() * 600));
    for (let i = 0; i < 3 && file.length; i++) file[Math.floor(chance() * file.length)] = Math.floor(chance() * 256);
    return file;
  };
  const odd = () => any([undefined, null, NaN, -1, 0, 0.5, 1, 2, 3, 7, 1e9, 2 ** 32, 2 ** 53, Infinity, '', 'out', 'x', '*', 'f*', [], {}, [[]], true, Symbol.iterator.description, () => 0, new Date(0), 10n, [NaN], ['cat'], new Map(), new Float32Array(3)]);
  const input = () => (chance() < 0.6 ? image(Math.floor(chance() * 3), Math.floor(chance() * 99)) : any([SEVEN, new Uint8Array(64), Array(64).fill(0), { data: new Float32Array(64), shape: [1, 8, 8] }, { width: 8, height: 8, data: new Uint8ClampedArray(256) }, new Float32Array(64).fill(NaN), { strokes: [] }, { strokes: [[[NaN, 1]]] }, { strokes: odd() }, { data: odd() }, odd()]));
  const signal = () => {
    if (chance() < 0.8) return undefined;
    const controller = new AbortController();
    if (chance() < 0.3) controller.abort();
    else setTimeout(() => controller.abort(), chance() * 5);
    return any([controller.signal, controller.signal, odd()]);
  };
  const data = () => {
    const { inputs, labels } = examples(1 + Math.floor(chance() * 60), Math.floor(chance() * 50));
    if (chance() < 0.2) inputs[Math.floor(chance() * inputs.length)] = input();
    if (chance() < 0.2) labels[Math.floor(chance() * labels.length)] = odd();
    return chance() < 0.05 ? odd() : { inputs, labels: any([labels, labels.map((c) => NAMES[c]), labels.map((c) => [0, 1, 2].map((k) => +(k === c))), odd()]) };
  };
  const usual = (value) => (chance() < 0.9 ? value : odd());
  const options = () => (chance() < 0.05 ? odd() : { epochs: usual(2), batch: usual(8), seed: usual(3), rate: usual(0.01), ...(chance() < 0.3 && { validation: data() }), ...(chance() < 0.1 && { [any(['l1', 'l2', 'average', 'clipNorm', 'labelSmoothing', 'optimiser', 'schedule', 'magic'])]: odd() }), signal: signal() });
  const asks = {
    predict: (m) => m.predict(input(), signal()),
    predictAll: (m) => m.predictAll(chance() < 0.9 ? Array.from({ length: Math.floor(chance() * 40) }, input) : odd(), signal()),
    features: (m) => m.features(input(), usual(['out']), signal()),
    explain: (m) => m.explain(input(), chance() < 0.9 ? { method: usual(any(['saliency', 'smooth_grad', 'guided', 'occlusion', 'integrated', 'grad_cam'])), class: any([undefined, 1, odd()]), amount: any([undefined, 2, 5, -1, NaN, '3']), signal: signal() } : odd()),
    evaluate: (m) => m.evaluate(data(), signal()),
    fit: async (m) => {
      let left = 3;
      for await (const _ of m.fit(data(), options())) if (chance() < 0.2 || --left === 0) break;
    },
    freeze: (m) => m.freeze(usual('out')),
    withClasses: (m) => m.withClasses(any([2, 3, NAMES, 3, odd()]), any([undefined, 1, odd()])),
    save: (m) => m.save(any([undefined, 'onnx', 'npz', 'safetensors-f32', odd()])),
    system: (m) => any([
      () => m.generate(chance() < 0.9 ? { digit: any([undefined, 3, odd()]), seed: usual(1), count: usual(2), signal: signal() } : odd()),
      () => m.detect(input(), chance() < 0.9 ? { threshold: usual(0.5), most: usual(3), signal: signal() } : odd()),
      () => m.segment(input(), signal()),
      () => m.caption(input(), chance() < 0.9 ? { language: usual('ja'), beams: usual(1), signal: signal() } : odd()),
    ])(),
    dispose: async (m) => m.dispose(),
    look: async (m) => [m.name, m.classes, m.inputShape, m.layers(), m.classNames],
  };
  const opening = {
    load: () => load(any([any(files), torn(), torn(), 'draw', 'dcgan', odd()]), any([undefined, { signal: signal() }, odd()])),
    fresh: () => define(NET),
    define: () => define(any([NET, { ...NET, layers: odd() }, { ...NET, input: odd() }, { input: [1, 8, 8], layers: [{ type: odd(), out: odd(), kernel: odd() }] }, odd()]), any([undefined, { seed: odd() }])),
  };
  const settled = async (name, work) => {
    let late;
    try {
      return await Promise.race([work(), new Promise((_, reject) => (late = setTimeout(reject, 60_000, new Error(`${name} neither answers nor is refused`))))]);
    } catch (error) {
      const fine = error instanceof HitofudeError ? typeof error.code === 'string' && error.code !== 'crashed' : error?.name === 'AbortError';
      if (!fine) throw new Error(`${name}: ${error?.stack ?? error}`);
    } finally {
      clearTimeout(late);
    }
  };
  const kept = await load('draw');
  const right = await bits(kept);
  const models = await Promise.all([define(NET), define(NET), define(NET), load('draw'), load('faster_rcnn'), load('dcgan')]);
  let answers = 0;
  for (let done = 0; done < calls; ) {
    // Some of them at once.
    const several = Array.from({ length: chance() < 0.7 ? 1 : 3 }, () => {
      done++;
      if (chance() < 0.1) {
        const name = any(['load', 'define']);
        return settled(name, opening[name]).then((model) => model && ((models[Math.floor(chance() * models.length)] = model), answers++));
      }
      const name = any(Object.keys(asks));
      const at = Math.floor(chance() * models.length);
      const model = models[at];
      // Now and then somebody asks one that is gone.
      if (name === 'dispose' && chance() < 0.9) return settled(name, opening.fresh).then((next) => (models[at] = next, model.dispose()));
      return settled(name, async () => asks[name](model)).then((answer) => (answers += Number(answer !== undefined)));
    });
    await Promise.all(several);
    if ((await bits(kept)) !== right) throw new Error('another answer of a model that nobody changed');
    if (done % 100 < 3 && (await bits(await load('draw'))) !== right) throw new Error('another answer of a fresh model');
    if (chance() < 0.1) models[Math.floor(chance() * 3)] = await define(NET);
  }
  return answers;
}
