// The lab's thread: fetched and started when the lab opens, and started anew when it has died.

import { proxy, wrap, type Remote } from 'comlink';
import { systems } from 'virtual:engine-files';
import type { Source } from '../../lib/fetch';
import type { Build } from '../../lib/types';
import { keepOffline } from '../../ui/offline';
import type { Phase } from '../../ui/reader.svelte';
import type { Detector, Watcher } from '../../worker/scenes/protocol';

const WAITING: Phase = { state: 'loading', progress: { loaded: 0, total: null } };

export class Desk {
  phase = $state.raw<Phase>(WAITING);
  /** Grows with every thread: what was open in the one before has to be opened again. */
  life = $state(0);
  watcher!: Remote<Watcher>;
  #worker: Worker | undefined;
  #build: Build;

  constructor(build: Build) {
    this.#build = build;
    this.start();
  }

  start(): void {
    this.end();
    this.phase = WAITING;
    const worker = new Worker(new URL('../../worker/scenes/watcher.ts', import.meta.url), { type: 'module' });
    const stopped = (message: string) => {
      if (worker !== this.#worker) return;
      this.end();
      this.phase = { state: 'failed', message };
    };
    worker.addEventListener('error', (event) => stopped(event.message || 'its program could not be loaded'));
    this.#worker = worker;
    this.watcher = wrap<Watcher>(worker);
    this.watcher
      .start(systems, this.#build, this.#hear(worker))
      .then((build) => {
        if (worker !== this.#worker) return;
        keepOffline(systems[build].url);
        this.life++;
        this.phase = { state: 'ready' };
      })
      .catch((error: Error) => stopped(error.message));
  }

  end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  /** Fetches a detector, if the thread has not got it. */
  async open(detector: Detector, file: Source): Promise<void> {
    await this.watcher.open(detector, file, proxy(() => {}));
    keepOffline(file.url);
  }

  /** Fetches a network that reads every pixel; returns its classes. */
  async read(name: string, file: Source): Promise<string[]> {
    const classes = await this.watcher.read(name, file, proxy(() => {}));
    keepOffline(file.url);
    return classes;
  }

  #hear(worker: Worker) {
    return proxy((progress: { loaded: number; total: number | null }) => {
      if (worker === this.#worker && this.phase.state === 'loading') this.phase = { state: 'loading', progress };
    });
  }
}
