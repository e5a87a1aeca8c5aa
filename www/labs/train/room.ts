// The page's end of a training thread.

import { proxy, wrap, type Remote } from 'comlink';
import { studio } from 'virtual:engine-files';
import { m } from '../../texts/train';
import type { Build } from '../../lib/types';
import type { Classroom, Happening, Opened, Order } from '../../worker/train/protocol';

/** A thread that trains, and says nothing for so long, is taken for dead. */
const PATIENCE = 30_000;

export class Room {
  readonly desk: Remote<Classroom>;
  /** Resolves with the build that runs. */
  readonly started: Promise<Build>;
  #worker: Worker;
  #heard = performance.now();
  #watch: ReturnType<typeof setInterval>;
  #ended = false;

  /** Starts a thread; `onBroken` hears, once, if it breaks. `training` tells whether it should be at work. */
  constructor(build: Build, training: () => boolean, onBroken: (message: string) => void) {
    this.#worker = new Worker(new URL('../../worker/train/classroom.ts', import.meta.url), { type: 'module' });
    this.desk = wrap<Classroom>(this.#worker);
    const broken = (message: string) => {
      if (this.#ended) return;
      this.end();
      onBroken(message);
    };
    this.#worker.addEventListener('error', (event) => broken(event.message || m.thread_unloaded()));
    this.#watch = setInterval(() => {
      if (!training()) this.#heard = performance.now();
      else if (performance.now() - this.#heard > PATIENCE) broken(m.thread_silent());
    }, 1000);
    this.started = this.desk.start(studio, build);
  }

  open(order: Order, onHappening: (happening: Happening) => void): Promise<Opened> {
    const hear = (happening: Happening) => {
      this.#heard = performance.now();
      if (!this.#ended) onHappening(happening);
    };
    // Proxies of the page's own state cannot be sent.
    return this.desk.open(order, proxy(hear));
  }

  end(): void {
    this.#ended = true;
    clearInterval(this.#watch);
    this.#worker.terminate();
  }
}
