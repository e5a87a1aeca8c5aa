// The thread that paints: slowly, the picture itself descending, and at once, by networks that have learnt a style.

import { transfer } from 'comlink';
import { bytes, twice } from '../../lib/fetch';
import { loadStudio } from '../../lib/studio';
import type { ColourPicture } from '../../lib/types';
import { FeatureNetwork, Painting, paintingDefaults, picture, pictures, pyramid, Stylizer } from '../../public/wasm/studio/hitofude.js';
import { featuresIn } from './own';
import type { Painter } from './protocol';
import { serve } from '../serve';

let started: Promise<unknown> | undefined;
let features: FeatureNetwork | undefined;
let painting: Painting | undefined;
let stylizer: Stylizer | undefined;
/** Grows with every style that is asked for: the newest one paints, whichever is here first. */
let asked = 0;

function the<T>(thing: T | undefined, what: string): T {
  if (!thing) throw new Error(`there is no ${what} yet`);
  return thing;
}

const moved = (image: ColourPicture) => transfer(image, [image.data.buffer as ArrayBuffer]);

const painter: Painter = {
  async start(wasm, build, onProgress) {
    const loading = loadStudio(wasm, { onProgress, ...(build && { build }) });
    started = loading;
    return loading;
  },

  async pictures() {
    await started;
    return { pictures: pictures(), defaults: paintingDefaults() };
  },

  async picture(name, width, height) {
    await started;
    return moved(picture(name, width, height, 1));
  },

  async see(source, formats, onProgress) {
    const open = async (weights: 'random' | Uint8Array) => {
      await started;
      return new FeatureNetwork(weights);
    };
    const opened =
      source === 'random' ? await open(source)
      : source instanceof File ? await open(await featuresIn(source, formats, onProgress))
      : await twice(async (cache) => open(await bytes(source, cache, { onProgress })));
    painting?.free();
    painting = undefined;
    features?.free();
    features = opened;
    return { name: opened.name, parameters: opened.parameters, layers: opened.layers() };
  },

  need: (options, style) => the(features, 'feature network').need(options, style),
  sizes: (width, height) => pyramid(width, height),

  begin(content, style, options, from) {
    // Before the new one takes its memory.
    painting?.free();
    painting = undefined;
    painting = new Painting(the(features, 'feature network'), content, style, options);
    if (from) painting.resume(from);
    return moved(painting.picture());
  },

  step() {
    const start = performance.now();
    const report = the(painting, 'painting').step();
    const milliseconds = performance.now() - start;
    const image = the(painting, 'painting').picture();
    return transfer({ report, image, milliseconds }, [image.data.buffer as ArrayBuffer]);
  },

  resize: (width, height) => the(painting, 'painting').resize(width, height),

  change(options) {
    the(painting, 'painting').change(options);
    return moved(the(painting, 'painting').picture());
  },

  grams(layers) {
    const grams = layers.map((layer) => ({ layer, ...the(painting, 'painting').gram(layer) }));
    return transfer(grams, grams.flatMap(({ now, target }) => [now.buffer as ArrayBuffer, target.buffer as ArrayBuffer]));
  },

  hash: () => the(painting, 'painting').hash(),

  async learnt(source, onProgress) {
    const turn = ++asked;
    const opened = await twice(async (cache) => {
      const weights = await bytes(source, cache, { onProgress });
      await started;
      return new Stylizer(weights);
    });
    if (turn !== asked) return opened.free();
    stylizer?.free();
    stylizer = opened;
  },

  stylize(picture) {
    const start = performance.now();
    const image = the(stylizer, 'style').paint(picture);
    return transfer({ image, milliseconds: performance.now() - start }, [image.data.buffer as ArrayBuffer]);
  },
};

serve(painter);
