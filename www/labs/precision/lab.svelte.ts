// The lab as the page sees it: the open network, its bits, what it makes of the drawing and of the pictures that score.

import { proxy, wrap, type Remote } from 'comlink';
import { bits } from 'virtual:engine-files';
import type { Source } from '../../lib/fetch';
import { keptModel, keptPictures, listPictures } from '../../lib/store';
import type { Bits, Build, Ink } from '../../lib/types';
import { keepOffline } from '../../ui/offline';
import type { Phase } from '../../ui/reader.svelte';
import type { Made, Opened, Origin, Part, Report, Scales } from '../../worker/precision/protocol';
import drawings from './drawings.jsonl?url';
import { chosenBy, FEW, FLOATS, KEPT, nameOf, OPENED, type Row, STOPS } from './stops';

const WAITING: Phase = { state: 'loading', progress: { loaded: 0, total: null } };
/** Pictures at a time: the thread hears of a new drawing in between. */
const CHUNK = 50;
export const PARTS: Part[] = ['drawings', 'made', 'mnist'];

/** What a precision came to so far. */
export type Rung = { row: Row; bytes: number; milliseconds: number; said: Partial<Record<Part, Uint8Array>> };

export class Lab {
  phase = $state.raw<Phase>(WAITING);
  network = $state('');
  opened = $state.raw<Opened>();
  made = $state.raw<Made>();
  /** Which stop, and the bits of each layer where they are chosen one by one. */
  row = $state<Row>('8');
  bits = $state.raw<Bits[]>([]);
  method = $state('minmax');
  report = $state.raw<Report | null>(null);
  watched = $state<string | null>(null);
  rungs = $state.raw<Rung[]>([]);
  counts = $state.raw<Record<Part, number>>({ drawings: 0, made: 0, mnist: 0 });
  labels = $state.raw<Partial<Record<Part, Uint8Array>>>({});
  trouble = $state('');
  kept = $state('');
  /** Grows whenever the network's numbers change. */
  version = $state(0);
  desk!: Remote<Scales>;
  #worker: Worker | undefined;
  #build: Build;
  #file: Uint8Array | undefined;
  #newest: Ink = { strokes: [] };
  #busy = false;
  #again = false;
  /** Grows with every change of what scores. */
  #turn = 0;
  #first: string;

  constructor(build: Build, network: string, row: Row) {
    [this.#build, this.#first, this.row] = [build, network, row];
    this.start();
  }

  get ready(): boolean {
    return this.phase.state === 'ready' && this.made !== undefined;
  }

  start(): void {
    this.end();
    this.phase = WAITING;
    const worker = new Worker(new URL('../../worker/precision/scales.ts', import.meta.url), { type: 'module' });
    this.#worker = worker;
    this.desk = wrap<Scales>(worker);
    const stopped = (message: string) => {
      if (worker !== this.#worker) return;
      this.end();
      this.phase = { state: 'failed', message };
    };
    worker.addEventListener('error', ({ message }) => stopped(message || 'its program could not be loaded'));
    this.#begin(worker).catch((error: Error) => stopped(error.message));
  }

  async #begin(worker: Worker): Promise<void> {
    const build = await this.desk.start(bits, this.#build, this.#hear(worker));
    keepOffline(bits[build].url);
    keepOffline(drawings);
    const [lines, mnist, kept] = await Promise.all([fetch(drawings).then((response) => response.text()), mnistKept(), keptModel().catch(() => undefined)]);
    this.counts = await this.desk.pictures(lines, mnist);
    for (const part of PARTS) if (this.counts[part]) this.labels = { ...this.labels, [part]: await this.desk.labels(part) };
    this.kept = kept?.name ?? '';
    const known = [...FLOATS, ...FEW].some(({ name }) => name === this.#first) || (this.#first === KEPT && kept);
    await this.open(known ? this.#first : FLOATS[0]!.name);
    if (worker === this.#worker) this.phase = { state: 'ready' };
  }

  #hear(worker: Worker) {
    return proxy((progress: { loaded: number; total: number | null }) => {
      if (worker === this.#worker && this.phase.state === 'loading') this.phase = { state: 'loading', progress };
    });
  }

  end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    [this.#busy, this.#again] = [false, false];
    this.#turn++;
  }

  /** Opens a network by its name; one that cannot be opened leaves the one before. */
  async open(name: string): Promise<void> {
    await this.#guarded(async () => {
      const origin = await this.#origin(name);
      const opened = await this.desk.open(origin, this.#hear(this.#worker!));
      if (!(origin.file instanceof Uint8Array)) keepOffline(origin.file.url);
      [this.network, this.opened, this.rungs, this.report] = [name, opened, [], null];
      this.bits = opened.rounded.map(() => '8');
      const stop = STOPS.find((one) => one === this.row) ?? '8';
      this.row = opened.few ? 'file' : opened.unfit ? '32' : stop;
      this.watched = null;
      await this.#make();
    });
  }

  /** Opens a file of the person's own. */
  async openFile(file: File): Promise<void> {
    this.#file = new Uint8Array(await file.arrayBuffer());
    await this.open(OPENED);
  }

  async #origin(name: string): Promise<Origin> {
    const found = [...FLOATS, ...FEW].find((one) => one.name === name);
    if (found) return { file: found.file as Source, ...(found.beside && { beside: found.beside }) };
    if (name === OPENED && this.#file) return { file: this.#file };
    const kept = await keptModel();
    if (!kept) throw new Error('the model is no longer in this browser');
    return { file: kept.file };
  }

  async choose(row: Row): Promise<void> {
    this.row = row;
    await this.#guarded(() => this.#make());
  }

  /** Gives one layer its bits, or all of them theirs. */
  async give(bits: Bits[]): Promise<void> {
    this.bits = bits;
    this.rungs = this.rungs.filter(({ row }) => row !== 'own');
    await this.choose('own');
  }

  async range(method: string): Promise<void> {
    this.method = method;
    this.rungs = this.rungs.filter(({ row }) => row === '32' || row === '16');
    await this.choose(this.row);
  }

  async #make(): Promise<void> {
    const turn = ++this.#turn;
    const made = await this.desk.make(chosenBy(this.row, $state.snapshot(this.bits) as Bits[]), this.method);
    if (turn !== this.#turn) return;
    this.made = made;
    const maps = made.layers.filter(({ kind, shape }) => kind === 'filters' && shape[1] > 1);
    if (!maps.some(({ name }) => name === this.watched)) this.watched = (maps[1] ?? maps[0])?.name ?? null;
    this.version++;
    this.read(this.#newest);
    void this.#climb(turn);
  }

  /** Shows this drawing to both networks; of several only the newest. */
  read(ink: Ink): void {
    this.#newest = ink;
    this.#again = this.#busy;
    if (this.#busy || !this.made) return;
    const worker = this.#worker;
    this.#busy = true;
    this.desk.read(ink, this.watched).then(
      (report) => {
        if (worker !== this.#worker) return;
        [this.report, this.#busy] = [report, false];
        if (this.#again) this.read(this.#newest);
      },
      (error: Error) => ([this.trouble, this.#busy] = [error.message, false]),
    );
  }

  look(layer: string): void {
    this.watched = layer;
    this.read(this.#newest);
  }

  /** What a row is called: a shipped network of few bits by its name. */
  named(row: Row): string {
    return row === 'file' && this.network !== OPENED ? this.network : nameOf(row);
  }

  /** The rung of a row, if it has been begun. */
  rung(row: Row): Rung | undefined {
    return this.rungs.find((one) => one.row === row);
  }

  get rows(): Row[] {
    if (this.opened?.few) return this.opened.name !== '' && FEW.find(({ name }) => name === this.network)?.beside ? ['32', 'file'] : ['file'];
    if (this.opened?.unfit) return ['32', '16'];
    return [...STOPS, ...(this.row === 'own' ? ['own' as const] : [])];
  }

  /** Scores every row on every part: the one that is looked at and single precision first. */
  async #climb(turn: number): Promise<void> {
    const rows = [...new Set<Row>([this.row, ...this.rows])].sort((a, b) => Number(b === this.row) - Number(a === this.row) || Number(b === '32') - Number(a === '32'));
    try {
      for (const part of PARTS.filter((one) => this.counts[one])) {
        for (const row of rows.filter((one) => this.rows.includes(one))) {
          const chosen = chosenBy(row, $state.snapshot(this.bits) as Bits[]);
          if (!this.rung(row)) {
            const cost = await this.desk.cost(chosen, this.method);
            if (turn !== this.#turn) return;
            this.rungs = [...this.rungs, { row, ...cost, said: {} }];
          }
          if (this.rung(row)!.said[part]) continue;
          const said = new Uint8Array(this.counts[part]);
          for (let from = 0; from < said.length; from += CHUNK) {
            said.set(await this.desk.judge(chosen, this.method, part, from, Math.min(CHUNK, said.length - from)), from);
            if (turn !== this.#turn) return;
          }
          this.rungs = this.rungs.map((one) => (one.row === row ? { ...one, said: { ...one.said, [part]: said } } : one));
        }
      }
    } catch (error) {
      if (turn === this.#turn) this.trouble = (error as Error).message;
    }
  }

  async #guarded(act: () => unknown): Promise<void> {
    try {
      await act();
      this.trouble = '';
    } catch (error) {
      this.trouble = (error as Error).message;
      if (!this.made) throw error;
    }
  }
}

/** MNIST's test pictures, where the Train lab has kept some. */
async function mnistKept(): Promise<{ images: Uint8Array; labels: Uint8Array } | null> {
  try {
    for (const { key } of await listPictures()) {
      const kept = await keptPictures(key);
      const { testImages, testLabels } = kept?.files ?? {};
      if (testImages && testLabels && kept?.classes.join('') === '0123456789') return { images: testImages, labels: testLabels };
    }
  } catch {
    // A browser that gives no storage has none.
  }
  return null;
}

/** The part of the pictures that was read right. */
export function accuracy(said: Uint8Array | undefined, labels: Uint8Array | undefined): number | undefined {
  if (!said || !labels) return undefined;
  let right = 0;
  for (let i = 0; i < said.length; i++) right += Number(said[i] === labels[i]);
  return right / said.length;
}
