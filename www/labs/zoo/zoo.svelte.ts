// All networks behind one wall: each is fetched once, and the newest drawing goes to all of them at once.

import { proxy, wrap, type Remote } from 'comlink';
import { models, wasm } from 'virtual:engine-files';
import type { Progress, Source } from '../../lib/fetch';
import type { Build, Ink, Layer } from '../../lib/types';
import { keepOffline } from '../../ui/offline';
import type { Phase } from '../../ui/reader.svelte';
import type { Maps } from '../../worker/protocol';
import type { Said, Zoo as Desk } from '../../worker/zoo/protocol';
import { median } from '../../worker/zoo/timing';

/** One network, on its way or open. */
export type Entry = {
  name: string;
  /** Bytes of its weights. */
  bytes: number;
  phase: Phase;
  layers: Layer[];
  parameters: number;
  multiplyAdds: number;
};

/** Milliseconds that a drawing must rest before the networks are timed with it. */
const CALM = 300;
/** Times that each network is measured, in turn, so that what slows the device for a moment slows one of them only. */
const PASSES = 3;
const WAITING: Phase = { state: 'loading', progress: { loaded: 0, total: null } };

export class Zoo {
  engine = $state.raw<Phase>(WAITING);
  entries = $state<Entry[]>([]);
  /** What each open network makes of the newest drawing; empty without ink. */
  said = $state.raw(new Map<string, Said>());
  maps = $state.raw(new Map<string, Maps>());
  /** Milliseconds that each network takes, measured while the drawing rests. */
  times = $state.raw(new Map<string, number>());
  build = $state<Build>();
  /** The network whose layers are looked at. */
  shown = $state('');

  #worker: Worker | undefined;
  #desk: Remote<Desk> | undefined;
  #watched = new Set<string>();
  #newest: Ink | undefined;
  #busy = false;
  #again = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** What was measured of each network with the present drawing. */
  #measured = new Map<string, number[]>();

  constructor(build: Build | null, shown: string) {
    this.shown = shown;
    this.entries = Object.entries(models).map(([name, { bytes }]) => ({
      name, bytes: bytes ?? 0, phase: WAITING, layers: [], parameters: 0, multiplyAdds: 0,
    }));
    this.start(build);
  }

  /** How much of all the weights has arrived, while some are on their way. */
  get arriving(): Progress | undefined {
    const loading = this.entries.filter(({ phase }) => phase.state === 'loading');
    if (!loading.length) return undefined;
    const total = this.entries.reduce((sum, { bytes }) => sum + bytes, 0);
    const left = loading.reduce((sum, { bytes, phase }) => sum + bytes - (phase.state === 'loading' ? phase.progress.loaded : 0), 0);
    return { loaded: total - left, total };
  }

  /** Starts the engine in a fresh thread and fetches every network. */
  start(build: Build | null): void {
    this.close();
    const worker = new Worker(new URL('../../worker/zoo/compute.ts', import.meta.url), { type: 'module' });
    worker.addEventListener('error', ({ message }) => this.#failed(worker, message || 'its program could not be loaded'));
    this.#worker = worker;
    this.#desk = wrap<Desk>(worker);
    this.engine = WAITING;
    const hear = proxy((progress: Progress) => {
      if (worker === this.#worker && this.engine.state === 'loading') this.engine = { state: 'loading', progress };
    });
    this.#desk.start(wasm, build, hear).then(
      (running) => {
        if (worker !== this.#worker) return;
        this.build = running;
        this.engine = { state: 'ready' };
        keepOffline(wasm[running].url);
      },
      (error: Error) => this.#failed(worker, error.message),
    );
    for (const { name } of this.entries) void this.open(name);
  }

  /** Fetches one network; the others answer meanwhile. */
  async open(name: string): Promise<void> {
    const [worker, entry, source] = [this.#worker, this.entries.find((one) => one.name === name), models[name] as Source];
    if (!entry || !this.#desk) return;
    entry.phase = WAITING;
    try {
      const layers = await this.#desk.open(name, source, proxy((progress) => {
        if (worker === this.#worker && entry.phase.state === 'loading') entry.phase = { state: 'loading', progress };
      }));
      if (worker !== this.#worker) return;
      const sum = (of: (layer: Layer) => number) => layers.reduce((all, layer) => all + of(layer), 0);
      Object.assign(entry, { layers, phase: { state: 'ready' }, parameters: sum((l) => l.parameters), multiplyAdds: sum((l) => l.multiplyAdds) });
      keepOffline(source.url);
      this.#ask();
    } catch (error) {
      if (worker === this.#worker) entry.phase = { state: 'failed', message: (error as Error).message };
    }
  }

  /** Shows this drawing to all of them. */
  read(ink: Ink): void {
    this.#newest = ink;
    this.#measured.clear();
    this.#ask();
  }

  /** Looks at the layers of another network. */
  show(name: string): void {
    this.shown = name;
    this.maps = new Map();
    this.#ask();
  }

  /** Asks for a layer's values of the network that is looked at, until the returned function is called. */
  watch(layer: string): () => void {
    this.#watched.add(layer);
    this.#ask();
    return () => this.#watched.delete(layer);
  }

  close(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#busy = false;
    clearTimeout(this.#timer);
    this.#measured.clear();
  }

  /** One drawing at a time; who comes meanwhile waits, and only the newest gets its turn. */
  #ask(): void {
    this.#again = this.#busy;
    if (this.#busy || !this.#desk || !this.#newest || !this.entries.some(({ phase }) => phase.state === 'ready')) return;
    const [worker, name] = [this.#worker, this.shown];
    this.#busy = true;
    this.#desk.read(this.#newest, { name, layers: [...this.#watched] }).then(
      ({ said, maps }) => {
        if (worker !== this.#worker) return;
        this.said = new Map(said.map((one) => [one.name, one]));
        if (name === this.shown) this.maps = new Map(maps.map((one) => [one.layer, one]));
        this.#busy = false;
        if (this.#again) this.#ask();
        else this.#rest();
      },
      (error: Error) => this.#failed(worker, error.message),
    );
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#measure(), CALM);
  }

  /** Times one network after the other, until there is a newer drawing; who still arrives would disturb it. */
  async #measure(): Promise<void> {
    const [worker, desk, ink] = [this.#worker, this.#desk, this.#newest];
    if (!desk || !ink || this.arriving) return;
    for (let pass = 1; pass <= PASSES; pass++) {
      for (const name of this.said.keys()) {
        const before = this.#measured.get(name) ?? [];
        if (before.length >= pass) continue;
        if (this.#busy || ink !== this.#newest) return;
        const milliseconds = await desk.time(name).catch(() => undefined);
        if (worker !== this.#worker || ink !== this.#newest || milliseconds === undefined) return;
        const all = [...before, milliseconds];
        this.#measured.set(name, all);
        // The first one shows at once; of two the lower is the likelier.
        this.times = new Map(this.times).set(name, all.length === 2 ? Math.min(...all) : median(all));
      }
    }
  }

  #failed(worker: Worker | undefined, message: string): void {
    if (worker !== this.#worker) return;
    this.engine = { state: 'failed', message };
    this.said = new Map();
    this.maps = new Map();
  }
}
