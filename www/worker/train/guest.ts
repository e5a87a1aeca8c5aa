// A participant's thread: it is told over a port what is trained, gets the parameters with every question, and answers with
// gradients. What comes is checked as if anybody could have sent it.

import type { Source } from '../../lib/fetch';
import { Garbled, numbers, pack, Unpacker, type Message, type Source as Pictured } from '../../lib/frames';
import { loadStudio } from '../../lib/studio';
import type { Build } from '../../lib/types';
import { Coach, Learner, type Samples } from '../../public/wasm/studio/hitofude.js';
import { isRefusal, learn, samplesOf } from './compute';
import type { Guest, Joined, Pictures } from './protocol';
import { serve } from '../serve';

let port: MessagePort | undefined;
let samples: Samples | undefined;
let learner: Learner | undefined;
let parameters = 0;
let build: Build = 'simd128';
let tell: (joined: Joined) => void = () => {};
const now: Joined = { state: 'waiting', shards: 0, step: 0, sent: 0, received: 0, why: '' };

const guest: Guest = {
  async start(wasm: Record<Build, Source>, wanted: Build, through: MessagePort, onChange: (joined: Joined) => void) {
    build = await loadStudio(wasm, { build: wanted });
    [port, tell] = [through, onChange];
    const unpacker = new Unpacker();
    // One after the other: opening takes a while.
    let before: Promise<void> = Promise.resolve();
    through.onmessage = ({ data }: MessageEvent<unknown>) => {
      before = before.then(() => hear(unpacker, data));
    };
    through.start();
    send({ kind: 'hello', build });
    return build;
  },

  leave() {
    send({ kind: 'bye', why: '' });
    end('left', '');
  },
};

async function hear(unpacker: Unpacker, data: unknown): Promise<void> {
  if (now.state === 'left' || now.state === 'refused') return;
  if (data === null) return end('left', now.why);
  try {
    if (data instanceof Uint8Array) now.received += data.length;
    const frame = unpacker.take(data);
    if (frame) await take(frame.message, frame.body);
  } catch (error) {
    if (!(error instanceof Garbled) && !isRefusal(error)) throw error;
    send({ kind: 'bye', why: 'that was not understood' });
    end('refused', (error as Error).message);
  }
}

async function take(message: Message, body: Uint8Array): Promise<void> {
  switch (message.kind) {
    case 'open': {
      learner?.free();
      samples?.free();
      samples = await samplesOf(pictures(message.source, body));
      learner = new Learner(message.setup, samples);
      // Counted by one that begins afresh, which a learner does not tell.
      const coach = new Coach(message.setup, samples);
      parameters = coach.params().length;
      coach.free();
      send({ kind: 'ready', parameters });
      return change({ state: 'ready', why: '' });
    }
    case 'learn': {
      const { ask, step, from, to } = message;
      if (!learner || from >= to) throw new Garbled('a question before anything is open');
      const learnt = learn(learner, numbers(body, parameters), step, from, to);
      if ('refused' in learnt) return send({ kind: 'refused', ask, message: learnt.refused });
      const all = new Float32Array(parameters * learnt.shards.length);
      learnt.shards.forEach(({ gradient }, i) => all.set(gradient, i * parameters));
      const sums = learnt.shards.map(({ sums: { images, loss, correct } }) => ({ images, loss, correct }));
      send({ kind: 'learnt', ask, sums, milliseconds: learnt.milliseconds }, all);
      return change({ shards: now.shards + to - from, step: step + 1 });
    }
    case 'bye':
      return change({ state: 'waiting', why: message.why });
    default:
      throw new Garbled(`${message.kind} from a leader`);
  }
}

function pictures(source: Pictured, body: Uint8Array): Pictures {
  // A participant scores no test pictures.
  if ('generator' in source) return { key: 'together', generator: { ...source.generator, test: 0 } };
  let at = 0;
  const cut = ([name, length]: [string, number]): [string, Uint8Array] => [name, body.slice(at, (at += length))];
  const files = Object.fromEntries(Object.entries(source.files).map(cut));
  if (at !== body.length || !files.images || !files.labels) throw new Garbled('pictures that are not whole');
  return { key: 'together', files: { ...files, images: files.images, labels: files.labels }, classes: source.classes };
}

function send(message: Message, body?: Float32Array): void {
  for (const piece of pack(message, body)) {
    now.sent += piece.length;
    port?.postMessage(piece, [piece.buffer]);
  }
}

function change(what: Partial<Joined>): void {
  tell(Object.assign(now, what));
}

function end(state: 'left' | 'refused', why: string): void {
  change({ state, why });
  port?.postMessage(null);
  port?.close();
}

serve(guest);
