// A worker with one model in it: how it starts, says that it cannot, is asked, and ends. A model has a thread to itself, so that
// ending one in the middle of its work takes nothing from the others.

import { wrap, type Remote } from 'comlink';
import type { Answer, Desk } from './desk';
import { Elsewhere, HitofudeError, stop, type Code } from './errors';

/** Milliseconds until a thread must have said its first word; a script that fails says so at once. */
const START = 20_000;
/** Milliseconds that a call may go on after it was told to end. */
const GRACE = 250;

export type Ask<T> = (desk: Remote<Desk>, call: number) => Promise<Answer<T>>;

let numbers = 0;
/** A number that no other call, model or training has. */
export const fresh = () => ++numbers;

/** Why a call that was under way will have no answer: its thread was ended for another's sake. It may be asked again. */
export class Ended extends Error {}

export class Thread {
  readonly #worker: Worker;
  readonly #desk: Remote<Desk>;
  /** Rejects when the thread has ended. */
  readonly #end: Promise<never>;
  #fail!: (why: unknown) => void;
  #ended = false;
  /** Calls that must not be cut off. */
  #held = 0;

  /** `start` makes the worker; `url` is where its script is, for a page of another origin. */
  constructor(start: () => Worker, url: string) {
    this.#end = new Promise((_, reject) => (this.#fail = reject));
    this.#end.catch(() => {});
    this.#worker = worker(start, url);
    this.#desk = wrap<Desk>(this.#worker);
    let begun = false;
    this.#worker.addEventListener('error', (event) => {
      if (!begun) this.end(unstarted(event.message));
    });
    this.#worker.addEventListener('messageerror', () => this.end(new HitofudeError('crashed', 'an answer of the worker could not be read')));
    const late = setTimeout(() => this.end(unstarted(`it has said nothing for ${START / 1000} seconds`)), START);
    void this.#desk.hello().then(() => (begun = true)).finally(() => clearTimeout(late));
    this.#end.catch(() => clearTimeout(late));
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Ends the thread at once; whoever waits for it hears why. */
  end(why: unknown = new Ended()): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#worker.terminate();
    this.#fail(why);
  }

  /** One call, which the signal ends at once: if the thread does not leave it soon, by ending the thread. */
  async ask<T>(signal: AbortSignal | undefined, ask: Ask<T>): Promise<T> {
    stop(signal);
    const call = fresh();
    const answer = ask(this.#desk, call);
    let abort = () => {};
    const aborted = new Promise<never>((_, reject) => {
      abort = () => {
        reject(signal!.reason as Error);
        void this.#desk.abort(call);
        void this.leaving(answer);
      };
      signal?.addEventListener('abort', abort);
    });
    try {
      return value(await Promise.race([answer, this.#end, aborted]));
    } catch (error) {
      stop(signal);
      if (error instanceof HitofudeError && error.code === 'crashed') this.end();
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Waits until something that was told to end does, or ends the thread. */
  async leaving(work: Promise<unknown>, grace = GRACE): Promise<void> {
    const late = Symbol('late');
    const first = await Promise.race([work.catch(() => {}), this.#end.catch(() => {}), new Promise((resolve) => setTimeout(resolve, grace, late))]);
    if (first === late && !this.#held) this.end();
  }

  /** From now on no call's signal ends the thread, until what is returned is called. */
  hold(): () => void {
    let held = 1;
    this.#held++;
    return () => {
      this.#held -= held;
      held = 0;
    };
  }

  /** Something to tell it that has no answer. */
  tell(word: (desk: Remote<Desk>) => Promise<unknown>): Promise<unknown> {
    return this.#ended ? Promise.resolve() : Promise.race([word(this.#desk), this.#end]).catch(() => {});
  }
}

function value<T>(answer: Answer<T>): T {
  if ('value' in answer) return answer.value;
  if ('elsewhere' in answer) throw new Elsewhere(answer.elsewhere);
  const { message, code, name } = answer.error;
  if (typeof code === 'string') throw new HitofudeError(code as Code, message);
  throw Object.assign(new Error(message), { name });
}

/** A worker by its script; that of another origin, a CDN's, by a script of this page that imports it. */
function worker(start: () => Worker, url: string): Worker {
  try {
    return start();
  } catch (cause) {
    if ((cause as Error).name !== 'SecurityError' || new URL(url, location.href).origin === location.origin) throw unstarted((cause as Error).message);
    return imported(url);
  }
}

/** A worker that imports a script, of whichever origin. */
export function imported(url: string): Worker {
  const script = URL.createObjectURL(new Blob([`import ${JSON.stringify(new URL(url, location.href).href)};`], { type: 'text/javascript' }));
  try {
    return new Worker(script, { type: 'module' });
  } catch (cause) {
    throw unstarted((cause as Error).message);
  } finally {
    // Not before it has been fetched.
    setTimeout(() => URL.revokeObjectURL(script), START);
  }
}

function unstarted(why: string | undefined): HitofudeError {
  const causes = 'its script is not there (404), something else is in its place (a page of HTML), this browser is too old for it, or a content security policy forbids it (worker-src)';
  const help = "Put the package's worker.js (for systems systems-worker.js), with what it imports, where this page looks for it, or say where it is (workerUrl); hitofude/direct and hitofude/inline need no worker";
  return new HitofudeError('worker', `the worker could not be started: ${why || causes}. ${help}`);
}
