// A race: setups that differ in one choice, from the same first weights, on the same batches, at the same time.

import type { Build } from '../../lib/types';
import type { Happening, History, Pictures } from '../../worker/train/protocol';
import { Room } from './room';

export type Runner = { name: string; setup: string; history: History; state: 'running' | 'finished' | 'failed'; message: string };

export class Race {
  runners = $state.raw<Runner[]>([]);
  running = $state(false);
  trouble = $state('');
  version = $state(0);
  steps = $state(0);
  #rooms: Room[] = [];

  /** Starts a race in so many threads; each takes its runners' steps in turn. */
  async start(entries: { name: string; setup: string }[], pictures: Pictures, build: Build, threads: number): Promise<void> {
    this.stop();
    this.trouble = '';
    this.runners = entries.map((entry) => ({ ...entry, history: { loss: [], accuracy: [], norm: [], validations: [] }, state: 'running', message: '' }));
    this.steps = (JSON.parse(entries[0]?.setup ?? '{"steps":0}') as { steps: number }).steps;
    this.running = true;
    const hands = Math.min(threads, entries.length);
    this.#rooms = Array.from({ length: hands }, () => new Room(build, () => this.running, (message) => this.#break(message)));
    try {
      await Promise.all(
        this.#rooms.map(async (room, hand) => {
          const own = this.runners.filter((_, i) => i % hands === hand);
          await room.started;
          const setups = own.map(({ setup }) => setup);
          await room.open({ setups, pictures, workers: 1, id: null, from: null }, (happening) => this.#hear(own, happening));
          await room.desk.run();
        }),
      );
    } catch (error) {
      this.#break((error as Error).message);
    }
  }

  stop(): void {
    this.#rooms.forEach((room) => room.end());
    this.#rooms = [];
    this.running = false;
  }

  #hear(own: Runner[], happening: Happening): void {
    const runner = 'run' in happening ? own[happening.run] : undefined;
    if (happening.kind === 'broken') return this.#break(happening.message);
    if (!runner) return;
    if (happening.kind === 'steps') {
      runner.history.loss.splice(happening.first, Infinity, ...happening.loss);
      runner.history.accuracy.splice(happening.first, Infinity, ...happening.accuracy);
      runner.history.norm.splice(happening.first, Infinity, ...happening.norm);
    } else if (happening.kind === 'validation') {
      runner.history.validations.push(happening.validation);
    } else if (happening.kind === 'failed') {
      [runner.state, runner.message] = ['failed', happening.message];
    } else if (happening.kind === 'stopped') {
      if (runner.state === 'running') runner.state = 'finished';
      if (this.runners.every(({ state }) => state !== 'running')) this.stop();
    }
    this.version++;
  }

  #break(message: string): void {
    this.trouble = message;
    this.stop();
  }
}
