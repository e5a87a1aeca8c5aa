// What both ways of painting share: the thread, the page's own pictures, and the network that looks.

import { proxy, wrap, type Remote } from 'comlink';
import { formats, studio, styles } from 'virtual:engine-files';
import type { Build, Drawn, PaintingOptions } from '../../lib/types';
import { fromAddress, toAddress } from '../../ui/address';
import { keepOffline } from '../../ui/offline';
import type { Given } from '../../ui/pictures/read';
import type { Phase } from '../../ui/reader.svelte';
import type { Eye, EyeSource, Painter } from '../../worker/style/protocol';
import { titled } from './titles';

const WAITING: Phase = { state: 'loading', progress: { loaded: 0, total: null } };

/** The feature networks that come with the page, the first one first. */
export const EYES = [...('features' in styles ? ['features'] : []), 'random'];
/** The styles that networks have learnt. */
export const HANDS = Object.keys(styles).filter((name) => name !== 'features');
/** Sides of the page's own pictures, as large as a painting can be. */
const SIDE = 512;

export class Lab {
  engine = $state.raw<Phase>(WAITING);
  pictures = $state.raw<Drawn[]>([]);
  defaults = $state.raw<PaintingOptions>();
  /** The network that looks, once it is open, and what became of the one asked for last. */
  eye = $state.raw<Eye>();
  opening = $state.raw<Phase>(WAITING);
  /** One of `EYES`, or the name of a file of the person's own. */
  eyeName = $state(fromAddress('eye', EYES) ?? EYES[0]!);
  /** The one asked for last. */
  asked = $state('');
  desk!: Remote<Painter>;
  #worker: Worker | undefined;
  #build: Build;
  #onStopped: (message: string) => void = () => {};
  #own: File | undefined;
  #looks = 0;
  #looking: Promise<void> = Promise.resolve();

  constructor(build: Build) {
    this.#build = build;
    this.start();
  }

  get contents(): Drawn[] {
    return this.pictures.filter(({ kind }) => kind === 'content');
  }

  get styles(): Drawn[] {
    return this.pictures.filter(({ kind }) => kind === 'style');
  }

  /** Hears when the thread breaks. */
  set onStopped(hear: (message: string) => void) {
    this.#onStopped = hear;
  }

  start(): void {
    this.end();
    this.engine = WAITING;
    this.eye = undefined;
    const worker = new Worker(new URL('../../worker/style/painter.ts', import.meta.url), { type: 'module' });
    worker.addEventListener('error', (event) => this.#stopped(worker, event.message));
    this.#worker = worker;
    this.desk = wrap<Painter>(worker);
    this.desk
      .start(studio, this.#build, proxy((progress) => void (worker === this.#worker && this.engine.state === 'loading' && (this.engine = { state: 'loading', progress }))))
      .then((build) => {
        keepOffline(studio[build].url);
        return this.desk.pictures();
      })
      .then(({ pictures, defaults }) => {
        if (worker !== this.#worker) return;
        [this.pictures, this.defaults, this.engine] = [pictures.map(titled), defaults, { state: 'ready' }];
      })
      .catch((error: Error) => this.#stopped(worker, error.message));
    this.#looking = Promise.resolve();
    void this.look(this.eyeName, this.#own);
  }

  end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  /** Looks through another network: one of `EYES`, or a file. Where it cannot be opened the one before stays. */
  look(name: string, file?: File): Promise<void> {
    const turn = ++this.#looks;
    this.asked = name;
    this.opening = { state: 'loading', progress: { loaded: 0, total: file?.size ?? null } };
    // One after another: the thread looks through whichever it opened last.
    this.#looking = this.#looking.then(() => (turn === this.#looks ? this.#look(name, file) : undefined));
    return this.#looking;
  }

  async #look(name: string, file?: File): Promise<void> {
    const worker = this.#worker;
    const source: EyeSource | undefined = file ?? (name === 'random' ? name : styles[name]);
    if (!source) return;
    // Another one that waits for this is what the person hears of.
    const last = () => worker === this.#worker && name === this.asked;
    try {
      const hear = proxy((progress: { loaded: number; total: number | null }) => {
        if (last() && this.opening.state === 'loading') this.opening = { state: 'loading', progress };
      });
      const eye = await this.desk.see(source, formats, hear);
      if (worker !== this.#worker) return;
      [this.eye, this.eyeName, this.#own] = [eye, name, file];
      if (last()) this.opening = { state: 'ready' };
      toAddress('eye', file || name === EYES[0] ? null : name);
      if (!file && name !== 'random') keepOffline(styles[name]!.url);
    } catch (error) {
      if (last()) this.opening = { state: 'failed', message: (error as Error).message };
    }
  }

  draw = (name: string, width: number, height: number) => this.desk.picture(name, width, height);

  /** One of the page's own pictures, by its name. */
  async given(name: string): Promise<Given> {
    const { width, height, data } = await this.draw(name, SIDE, SIDE);
    const picture = new ImageData(width, height);
    picture.data.set(data);
    return { name, title: this.title(name), picture };
  }

  /** What one of the page's own pictures is called, or the style that was learnt from it. */
  title(name: string): string {
    return this.pictures.find((one) => one.name === name)?.title ?? name;
  }

  #stopped(worker: Worker, message: string): void {
    if (worker !== this.#worker) return;
    this.end();
    this.engine = { state: 'failed', message };
    this.#onStopped(message);
  }
}
