// One person's hand: the drawings they have corrected, and the network as it has learnt them. Drawings are kept first;
// whatever breaks afterwards, a lesson can be had again from them.

import { wrap, type Remote } from 'comlink';
import { models, studio } from 'virtual:engine-files';
import { forgetHand, keepHand, keptHand } from '../../../lib/store';
import type { Build, Example, Stroke } from '../../../lib/types';
import { keepOffline } from '../../../ui/offline';
import type { School, Taught, Verdict } from '../../../worker/teach/protocol';
import { FEWEST, MOST } from './file';
import { setTaught } from './flag';

export type Status = 'idle' | 'learning' | 'failed';

export class Hand {
  examples = $state.raw<Example[]>([]);
  /** What came of the last lesson; undefined until there are drawings enough. */
  taught = $state.raw<Taught>();
  /** The drawings of that lesson. */
  learnt = $state.raw<Example[]>([]);
  status = $state<Status>('idle');
  /** What went wrong. */
  trouble = $state('');
  /** Why the drawings are not kept for another visit. */
  unkept = $state('');
  /** What the network as it came reads in the drawing that was shown last. */
  original = $state.raw<Verdict | null>(null);

  #model: string;
  #build: () => Build;
  #worker: Worker | undefined;
  #school: Promise<Remote<School>> | undefined;
  /** Grows with every change of the drawings. */
  #version = 0;
  #shown: Stroke[] | undefined;
  #reading = false;

  constructor(model: string, build: () => Build) {
    this.#model = model;
    this.#build = build;
  }

  /** Fetches what an earlier visit has left. */
  async restore(): Promise<void> {
    const kept = await keptHand(this.#model).catch(() => undefined);
    if (!kept || this.#version) return;
    this.examples = kept.examples;
    // Another version of the page may have brought other weights: its lesson starts from those.
    if (kept.taught && kept.base === models[this.#model]?.sha256) [this.taught, this.learnt] = [kept.taught, kept.examples];
    else await this.learn();
  }

  /** Takes drawings in and, once there are enough, learns them. */
  async add(examples: Example[]): Promise<void> {
    await this.#change([...this.examples, ...examples].slice(-MOST));
  }

  async remove(example: Example): Promise<void> {
    await this.#change(this.examples.filter((one) => one !== example));
  }

  /** Forgets everything, here and in the browser's storage. */
  async forget(): Promise<void> {
    this.#version++;
    this.examples = [];
    this.taught = undefined;
    this.status = 'idle';
    this.trouble = this.unkept = '';
    setTaught(this.#model, false);
    await forgetHand(this.#model).catch(() => {});
  }

  /** Retrains the network on the drawings there are. */
  async learn(): Promise<void> {
    const version = this.#version;
    this.trouble = '';
    this.status = 'learning';
    try {
      const school = await this.#open();
      if (version !== this.#version) return;
      if (this.examples.length < FEWEST) {
        // The wait for the fifth drawing is time to prepare in.
        await school.prepare();
      } else {
        const taught = await school.teach(this.examples);
        if (version !== this.#version) return;
        [this.taught, this.learnt] = [taught, this.examples];
        await this.#keep();
      }
      if (version === this.#version) this.status = 'idle';
    } catch (error) {
      this.#close();
      if (version !== this.#version) return;
      this.trouble = (error as Error).message;
      this.status = 'failed';
    }
  }

  /** Asks what the network as it came reads; of several drawings in a row the newest counts. */
  async compare(strokes: Stroke[]): Promise<void> {
    this.#shown = strokes;
    if (this.#reading) return;
    this.#reading = true;
    try {
      while (this.#shown) {
        const next = this.#shown;
        this.#shown = undefined;
        this.original = await (await this.#open()).read({ strokes: next });
      }
    } catch {
      // Nothing depends on it; a lesson says what is wrong.
      this.original = null;
    } finally {
      this.#reading = false;
    }
  }

  end(): void {
    this.#version++;
    this.#close();
  }

  async #change(examples: Example[]): Promise<void> {
    this.#version++;
    this.examples = examples;
    if (examples.length < FEWEST) this.taught = undefined;
    await this.#keep();
    if (examples.length) await this.learn();
    else await this.forget();
  }

  async #keep(): Promise<void> {
    const { examples, taught } = this;
    const base = models[this.#model]?.sha256 ?? '';
    // A lesson on other drawings than these is not worth keeping.
    const current = taught && this.learnt === examples ? taught : null;
    try {
      await keepHand({ model: this.#model, base, examples, taught: current });
      setTaught(this.#model, true);
      this.unkept = '';
    } catch (error) {
      this.unkept = (error as Error).name === 'QuotaExceededError' ? 'the storage is full' : (error as Error).message;
    }
  }

  #open(): Promise<Remote<School>> {
    this.#school ??= this.#start();
    return this.#school;
  }

  async #start(): Promise<Remote<School>> {
    const source = models[this.#model];
    if (!source) throw new Error(`there is no network called ${this.#model}`);
    const worker = new Worker(new URL('../../../worker/teach/teacher.ts', import.meta.url), { type: 'module' });
    this.#worker = worker;
    const school = wrap<School>(worker);
    const broken = new Promise<never>((_, reject) => {
      worker.addEventListener('error', ({ message }) => reject(new Error(message || 'its program could not be loaded')));
    });
    const build = this.#build();
    await Promise.race([school.start(studio, build).then(() => school.open(source)), broken]);
    keepOffline(studio[build].url);
    return school;
  }

  #close(): void {
    this.#worker?.terminate();
    this.#worker = this.#school = undefined;
  }
}
