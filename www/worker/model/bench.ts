// The thread of the lab for models from elsewhere. It holds one model; a file that cannot be opened leaves it as it is.

import { transfer } from 'comlink';
import { translated } from '../../lib/convert';
import { bytes, twice } from '../../lib/fetch';
import { loadFormats } from '../../lib/formats';
import { architectures, ModelFile, preprocess } from '../../public/wasm/formats/hitofude.js';
import { statistics } from '../maps';
import type { Build } from '../../lib/types';
import type { Bench, Opened, Refused } from './protocol';
import { serve } from '../serve';

let started: Promise<unknown> | undefined;
let model: ModelFile | undefined;

function current(): ModelFile {
  if (!model) throw Object.assign(new Error('no model is open'), { code: 'missing' });
  return model;
}

/** The module that translates, where it is wanted. */
let translator: Parameters<typeof translated>[1] | undefined;
let picked: Build | null = null;

/** What `work` gives, or why it is refused: an `Error` would lose its code on the way. */
function answered<T>(work: () => T): T | Refused {
  try {
    return work();
  } catch (error) {
    return refusal(error);
  }
}

function refusal(error: unknown): Refused {
  const { message, code } = error as Error & { code?: string };
  // Out of memory, say: no refusal of the engine.
  if (typeof code !== 'string') throw error;
  return { refused: { code, message } };
}

function described(file: ModelFile): Opened {
  const about = file.about();
  const rows = answered(() => file.rows());
  return 'refused' in rows ? { about, rows: [], open: rows.refused.message } : { about, rows, open: '' };
}

const bench: Bench = {
  async start(wasm, convert, build, onProgress) {
    [translator, picked] = [convert, build];
    const loading = loadFormats(wasm, { onProgress, ...(build && { build }) });
    started = loading;
    return loading;
  },

  architectures: () => architectures(),

  async open(given, name, architecture, beside) {
    let file = given;
    try {
      if (translator) file = await translated([{ name, bytes: given }, ...beside], translator, picked ? { build: picked } : {});
    } catch (error) {
      return refusal(error);
    }
    return answered(() => {
      const next = new ModelFile(file, name, architecture ?? undefined);
      const opened = described(next);
      model?.free();
      model = next;
      return opened;
    });
  },

  async example(weights) {
    const file = await twice((cache) => bytes(weights, cache, {}));
    await started;
    const own = new ModelFile(file, 'example', undefined);
    try {
      const onnx = own.save('onnx');
      return transfer(onnx, [onnx.buffer]);
    } finally {
      own.free();
    }
  },

  resize: (input, sides) =>
    answered(() => {
      current().resize(input, Uint32Array.from(sides));
      return described(current());
    }),

  run(inputs, watched) {
    return answered(() => {
      const start = performance.now();
      const { outputs, taps } = current().run(inputs, Uint32Array.from(watched ? [watched.row] : []));
      const milliseconds = performance.now() - start;
      const [tap] = taps;
      const seen = tap?.values.slice(0, watched?.most);
      const channels = tap ? Math.max(1, (tap.shape[1] ?? 1) * ((seen?.length ?? 0) / tap.values.length)) : 1;
      const maps = watched && seen ? { layer: watched.name, values: seen, stats: statistics(seen, Math.round(channels)) } : null;
      return transfer({ outputs, maps, milliseconds }, outputs.map((output) => output.values.buffer));
    });
  },

  trains: () => answered(() => current().trains()),

  save(format) {
    return answered(() => {
      const file = current().save(format);
      return transfer(file, [file.buffer]);
    });
  },

  centred(strokes) {
    const steps = answered(() => preprocess({ strokes }));
    return 'refused' in steps ? null : (steps.at(-1)?.pixels ?? null);
  },
};

serve(bench);
