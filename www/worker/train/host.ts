// The leader's end of a participant who may be anywhere: another tab, another device. It has asked to join; what it sends is
// checked, and some of what it computes is computed again here, to the bit.

import { Garbled, numbers, pack, Unpacker, type Message, type Source } from '../../lib/frames';
import type { Learnt, Participant, Pictures, Shard } from './protocol';

/** Every so many answers one shard of them is computed here, too, and the first one always. */
const AUDIT = 16;

export type Order = { setup: string; pictures: Pictures; build: string; parameters: number; audit: (params: Float32Array, step: number, shard: number) => Float32Array | null };

export class Host {
  readonly state: Participant;
  /** Resolves once it is ready to work, and rejects if it never is. */
  readonly ready: Promise<void>;
  /** Rejects when it goes, or is sent away. */
  readonly broken: Promise<never>;
  #leave: (error: Error) => void = () => {};
  #opened: () => void = () => {};
  #unpacker: Unpacker;
  #asks = new Map<number, (answer: Learnt) => void>();
  #expected = new Map<number, number>();
  #next = 0;

  constructor(
    readonly port: MessagePort,
    number: number,
    private readonly order: Order,
    private readonly tell: () => void,
  ) {
    this.state = { number, state: 'opening', shards: 0, sent: 0, received: 0, why: '' };
    this.#unpacker = new Unpacker(4 * order.parameters * 4096);
    this.broken = new Promise((_, reject) => (this.#leave = reject));
    this.ready = new Promise((resolve) => (this.#opened = resolve));
    this.broken.catch(() => {});
    port.onmessage = ({ data }: MessageEvent<unknown>) => this.#hear(data);
    port.start();
    void this.#open();
  }

  async learn(params: Float32Array, step: number, from: number, to: number): Promise<Learnt> {
    const ask = this.#next++;
    this.#expected.set(ask, to - from);
    const answered = new Promise<Learnt>((resolve) => this.#asks.set(ask, resolve));
    this.#send({ kind: 'learn', ask, step, from, to }, params);
    const answer = await Promise.race([answered, this.broken]);
    if ('shards' in answer) this.#check(answer, params, step, from, ask);
    return answer;
  }

  /** Lets it go; the port stays open for what comes next. */
  release(why: string): MessagePort {
    this.#send({ kind: 'bye', why });
    this.port.onmessage = null;
    this.#leave(new Error(why));
    return this.port;
  }

  /** It is gone, or is sent away. */
  dismiss(state: 'left' | 'refused', why: string): void {
    if (this.state.state === 'left' || this.state.state === 'refused') return;
    if (state === 'refused') this.#send({ kind: 'bye', why });
    Object.assign(this.state, { state, why });
    this.port.onmessage = null;
    this.port.postMessage(null);
    this.port.close();
    this.#leave(new Error(why));
    this.tell();
  }

  async #open(): Promise<void> {
    const { setup, pictures } = this.order;
    const { source, bytes } = await sourceOf(pictures);
    this.#send({ kind: 'open', setup, source }, bytes);
  }

  #send(message: Message, body?: Uint8Array | Float32Array): void {
    for (const piece of pack(message, body)) {
      this.state.sent += piece.length;
      this.port.postMessage(piece, [piece.buffer]);
    }
  }

  #hear(data: unknown): void {
    // The page says so when the way there is closed.
    if (data === null) return this.dismiss('left', '');
    try {
      if (data instanceof Uint8Array) this.state.received += data.length;
      const frame = this.#unpacker.take(data);
      if (frame) this.#take(frame.message, frame.body);
    } catch (error) {
      if (!(error instanceof Garbled)) throw error;
      this.dismiss('refused', error.message);
    }
  }

  #take(message: Message, body: Uint8Array): void {
    switch (message.kind) {
      case 'hello':
        if (message.build !== this.order.build) throw new Garbled(`a build of the engine that is not ${this.order.build}`);
        return;
      case 'ready':
        if (message.parameters !== this.order.parameters) throw new Garbled(`${message.parameters} parameters in place of ${this.order.parameters}`);
        this.state.state = 'ready';
        this.#opened();
        this.tell();
        return;
      case 'learnt': {
        const { ask, sums, milliseconds } = message;
        const count = this.#expected.get(ask);
        if (count === undefined || sums.length !== count) throw new Garbled('an answer to what was not asked');
        const all = numbers(body, count * this.order.parameters);
        if (!all.every(Number.isFinite)) throw new Garbled('a gradient with numbers that are none');
        const size = this.order.parameters;
        const shards: Shard[] = sums.map((one, i) => ({ gradient: all.slice(i * size, (i + 1) * size), sums: one }));
        this.#answer(ask, { shards, milliseconds });
        this.state.shards += count;
        return;
      }
      case 'refused':
        // Whether there is anything to refuse is for the leader to find out, who computes it then.
        throw new Garbled(message.message.slice(0, 200));
      case 'bye':
        return this.dismiss('left', '');
      default:
        throw new Garbled(`${message.kind} from a participant`);
    }
  }

  #answer(ask: number, answer: Learnt): void {
    this.#expected.delete(ask);
    this.#asks.get(ask)?.(answer);
    this.#asks.delete(ask);
  }

  /** Computes one of the shards here, too, from time to time. Throws where any bit differs. */
  #check({ shards }: { shards: Shard[] }, params: Float32Array, step: number, from: number, ask: number): void {
    if (ask % AUDIT !== 0) return;
    const which = (ask / AUDIT) % shards.length;
    const own = this.order.audit(params, step, from + which);
    const its = shards[which]!.gradient;
    const bits = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);
    if (own && !bits(own).every((word, i) => word === bits(its)[i])) this.dismiss('refused', 'a gradient that is not the one computed here');
    if (this.state.state === 'refused') throw new Error(this.state.why);
  }
}

/** Pictures as a participant gets them. */
async function sourceOf(pictures: Pictures): Promise<{ source: Source; bytes: Uint8Array }> {
  if ('generator' in pictures) return { source: { generator: pictures.generator }, bytes: new Uint8Array() };
  const files = Object.entries(pictures.files) as [string, Uint8Array][];
  const source = { files: Object.fromEntries(files.map(([name, file]) => [name, file.length])), classes: pictures.classes };
  return { source, bytes: new Uint8Array(await new Blob(files.map(([, file]) => file as Uint8Array<ArrayBuffer>)).arrayBuffer()) };
}
