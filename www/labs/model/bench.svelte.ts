// The page's end of the thread that holds the model: opens files, runs the newest inputs, shows what the watched layer made.
// A file that cannot be opened leaves everything as it is.

import { proxy, wrap, type Remote } from 'comlink';
import { convert, formats, models } from 'virtual:engine-files';
import type { Source } from '../../lib/fetch';
import type { About, Build, Format, Port, Row, Stroke } from '../../lib/types';
import { keepOffline } from '../../ui/offline';
import type { Phase } from '../../ui/reader.svelte';
import type { Beside, Bench as Desk, Opened, Ran, Refused, Trains } from '../../worker/model/protocol';
import { readClasses } from './classes';
import { layersOf, type Drawn } from './layers';
import type { Preparation } from './prepare';

const WAITING: Phase = { state: 'loading', progress: { loaded: 0, total: null } };
/** The shipped network that stands for a file of one's own until there is one. */
const EXAMPLE = 'deep_convnet';
/** The most numbers of a layer to look at, and the most values of one that is a row of numbers. */
const MOST = { maps: 256, values: 1000 };

/** What Teachable Machine does with pictures. */
const SIGNED: Preparation = { fit: 'fill', scale: 'signed', inverted: false, bgr: false };

/** A file that waits to be told what network its weights belong to. */
type Waiting = { file: Uint8Array; name: string };

export class Bench {
  engine = $state.raw<Phase>(WAITING);
  /** What is being opened. */
  opening = $state('');
  /** The last file that was not opened, and why. */
  refused = $state.raw<{ name: string; message: string }>();
  waiting = $state.raw<Waiting>();
  architectures = $state.raw<string[]>([]);

  about = $state.raw<About>();
  file = $state.raw<{ name: string; bytes: number }>();
  rows = $state.raw<Row[]>([]);
  /** Why there are no rows: a size that the file leaves open. */
  openSizes = $state('');
  trains = $state.raw<Trains | Refused>();
  /** Each input's sides, as they are set. */
  sides = $state.raw<number[][]>([]);

  ran = $state.raw<Ran>();
  failed = $state('');
  watched = $state<string>();

  #worker: Worker | undefined;
  #desk: Remote<Desk> | undefined;
  #build: Build | null;
  #busy = false;
  /** The numbers of each input, once it has any. */
  #newest: (Float32Array | undefined)[] = [];
  #opened = 0;
  /** Grows with whatever is to be opened: the newest is. */
  #turn = 0;
  /** Those who wait for the engine, and what is being opened. */
  #waiters: (() => void)[] = [];
  #work: Promise<void> = Promise.resolve();

  constructor(build: Build | null) {
    this.#build = build;
    this.start();
  }

  readonly layers: Drawn[] = $derived(layersOf(this.rows));
  readonly layer: Drawn | undefined = $derived(this.layers.find(({ name }) => name === this.watched) ?? this.layers[this.inputs.length]);
  /** The part of the watched layer that is shown. */
  readonly shown: Drawn | undefined = $derived.by(() => {
    if (!this.layer) return undefined;
    const [maps, height, width] = this.layer.shape;
    const most = height * width === 1 ? MOST.values : MOST.maps;
    return { ...this.layer, shape: [Math.min(maps, most), height, width] };
  });

  get inputs(): Port[] {
    return this.about?.inputs ?? [];
  }

  /** The names of the classes that the file brings along. */
  get named(): string[] {
    const [, list] = this.about?.metadata.find(([key]) => key === 'classes') ?? [];
    return (list && readClasses(list)) || [];
  }

  /** How pictures are prepared, where the file says. */
  get prepared(): Preparation | undefined {
    const signed = this.about?.metadata.some(([key, value]) => key === 'pixels' && value === 'signed');
    return signed ? SIGNED : undefined;
  }

  get ready(): boolean {
    return this.about !== undefined;
  }

  /** How many classes it answers: null where its first output is no row of scores, undefined where that is not known yet. */
  get classes(): number | null | undefined {
    const shape = this.ran?.outputs[0]?.shape ?? this.about?.outputs[0]?.shape?.map((side, i) => (i === 0 ? (side ?? 1) : side));
    if (!shape || shape.includes(null)) return undefined;
    const numbers = (shape as number[]).reduce((a, b) => a * b, 1);
    return numbers > 1 && shape.slice(2).every((side) => side === 1) ? numbers : null;
  }

  /** Whether what is given now is run at once: a camera waits for that. */
  get idle(): boolean {
    return !this.#busy;
  }

  start(): void {
    this.end();
    this.engine = WAITING;
    // What a thread was opening that broke is lost; what waits for one is not.
    if (!this.#waiters.length) [this.opening, this.#work] = ['', Promise.resolve()];
    const worker = new Worker(new URL('../../worker/model/bench.ts', import.meta.url), { type: 'module' });
    worker.addEventListener('error', ({ message }) => this.#stopped(worker, message));
    this.#worker = worker;
    this.#desk = wrap<Desk>(worker);
    this.#desk
      .start(formats, convert, this.#build, proxy((progress) => worker === this.#worker && this.engine.state === 'loading' && (this.engine = { state: 'loading', progress })))
      .then(async (build) => {
        if (worker !== this.#worker) return;
        this.engine = { state: 'ready' };
        keepOffline(formats[build].url);
        this.architectures = (await this.#desk?.architectures()) ?? [];
        // What the person has opened meanwhile comes in place of the example.
        if (!this.opening) void this.example();
        this.#waiters.splice(0).forEach((go) => go());
      })
      .catch((error: Error) => this.#stopped(worker, error.message));
  }

  end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#busy = false;
  }

  /** Opens the example: a network of the page's own, as an ONNX file. */
  async example(): Promise<void> {
    [this.refused, this.waiting] = [undefined, undefined];
    this.#work = this.#example();
    await this.#work;
  }

  /** Opens a file, its weights as this network's if it does not say of which. While the engine is loading it waits for that. */
  open(file: Uint8Array, name: string, architecture: string | null = null, beside: Beside[] = []): Promise<void> {
    const turn = ++this.#turn;
    [this.opening, this.refused, this.waiting] = [name, undefined, undefined];
    this.#work = this.#there().then(async () => {
      if (turn !== this.#turn) return;
      await this.#load(turn, file, name, architecture, beside);
      // There was none before it that could stay.
      if (turn === this.#turn && !this.ready && !this.waiting) await this.#example();
    });
    return this.#work;
  }

  /** Resolves once the engine is there and nothing is being opened. */
  async settled(): Promise<void> {
    await this.#there();
    await this.#work;
  }

  #there(): Promise<void> {
    return this.engine.state === 'ready' ? Promise.resolve() : new Promise((go) => this.#waiters.push(go));
  }

  async #example(): Promise<void> {
    const turn = ++this.#turn;
    const name = `${EXAMPLE}.onnx`;
    this.opening = name;
    try {
      const file = await this.#desk!.example(models[EXAMPLE] as Source);
      if (turn === this.#turn) await this.#load(turn, file, name, null);
    } catch (error) {
      if (turn === this.#turn) this.#refuse(name, error);
    }
  }

  async #load(turn: number, file: Uint8Array, name: string, architecture: string | null, beside: Beside[] = []): Promise<void> {
    try {
      const opened = await this.#desk!.open(file, name.replace(/\.\w+$/, ''), architecture, beside);
      if ('refused' in opened) {
        const unknown = opened.refused.code === 'missing' && opened.refused.message.startsWith('architecture');
        if (unknown) this.waiting = { file, name };
        else this.refused = { name, message: opened.refused.message };
        return;
      }
      this.file = { name, bytes: file.length };
      [this.ran, this.failed, this.watched, this.trains] = [undefined, '', undefined, undefined];
      this.#newest = opened.about.inputs.map(() => undefined);
      const sides = opened.about.inputs.map(({ shape }) => standard(shape));
      this.#take(opened, sides);
      const own = ++this.#opened;
      if (opened.open) for (const [input, wanted] of sides.entries()) if (own === this.#opened) await this.resize(input, wanted);
      const trains = await this.#desk!.trains();
      if (own === this.#opened) this.trains = trains;
    } catch (error) {
      this.#refuse(name, error);
    } finally {
      if (turn === this.#turn) this.opening = '';
    }
  }

  /** Says what size an input has. */
  async resize(input: number, sides: number[]): Promise<void> {
    const name = this.inputs[input]?.name;
    if (name === undefined) return;
    const opened = await this.#desk!.resize(name, sides);
    if ('refused' in opened) this.openSizes = opened.refused.message;
    else this.#take(opened, this.sides.with(input, sides));
  }

  /** Takes the numbers of an input. The model runs when all inputs have theirs; while one run is under way the newest waits. */
  give(input: number, values: Float32Array | undefined): void {
    this.#newest = this.#newest.map((own, i) => (i === input ? values : own));
    if (!values) [this.ran, this.failed] = [undefined, ''];
    void this.#ask();
  }

  /** Looks at another layer. */
  watch(layer: string): void {
    this.watched = layer;
    void this.#ask();
  }

  save(format: Format): Promise<Uint8Array<ArrayBuffer> | Refused> {
    return this.#desk!.save(format);
  }

  centred(strokes: Stroke[]): Promise<Float32Array | null> {
    return this.#desk!.centred(strokes);
  }

  #take(opened: Opened, sides: number[][]): void {
    [this.about, this.rows, this.openSizes, this.sides] = [opened.about, opened.rows, opened.open, sides];
  }

  async #ask(): Promise<void> {
    const [worker, newest, { about, shown }] = [this.#worker, this.#newest, this];
    const given = this.inputs.flatMap(({ name }, i) => {
      const [shape, values] = [this.sides[i], newest[i]];
      return shape && values ? [{ name, shape, values }] : [];
    });
    if (this.#busy || !given.length || given.length < this.inputs.length || !worker) return;
    this.#busy = true;
    const watched = shown ? { row: shown.row, name: shown.name, most: shown.shape.reduce((a, b) => a * b) } : null;
    try {
      const ran = await this.#desk!.run(given, watched);
      if (worker !== this.#worker) return;
      if ('refused' in ran) this.failed = ran.refused.message;
      else if (this.#newest.every(Boolean) && about === this.about) [this.ran, this.failed] = [ran, ''];
    } catch (error) {
      this.#stopped(worker, (error as Error).message);
      return;
    } finally {
      if (worker === this.#worker) this.#busy = false;
    }
    if (newest !== this.#newest || watched?.name !== this.shown?.name) void this.#ask();
  }

  #refuse(name: string, error: unknown): void {
    this.refused = { name, message: (error as Error).message };
    this.opening = '';
  }

  #stopped(worker: Worker, message: string): void {
    if (worker !== this.#worker) return;
    this.engine = { state: 'failed', message };
    this.ran = undefined;
  }
}

/** The sides of one picture, with the usual ones for those that a file leaves open. */
function standard(shape: (number | null)[] | null): number[] {
  const given = shape ?? [null, 3, null, null];
  const side = given.includes(3) || !given.includes(1) ? 224 : 28;
  return given.map((one, i) => one ?? (i === 0 ? 1 : i === 1 && given.length === 4 && given[3] === null ? 3 : side));
}
