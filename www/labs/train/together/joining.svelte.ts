// A page that computes for a training elsewhere: its way to the leader, its thread, and how far that is.

import { proxy, transfer, wrap, type Remote } from 'comlink';
import { studio } from 'virtual:engine-files';
import type { Guest, Joined } from '../../../worker/train/protocol';
import { answer, join, Unusable, type Way } from './links';

export type Stage = 'asking' | 'answered' | 'joined' | 'failed';

export class Joining {
  stage = $state<Stage>('asking');
  /** Why it failed: a word of `Unusable`, or the engine's message. */
  why = $state('');
  /** The answer for the leader, of an invitation to another device. */
  answer = $state('');
  joined = $state.raw<Joined>({ state: 'waiting', shards: 0, step: 0, sent: 0, received: 0, why: '' });
  #guest: Remote<Guest> | undefined;
  #worker: Worker | undefined;

  constructor(readonly invitation: string) {
    void this.begin();
  }

  async begin(): Promise<void> {
    this.end();
    [this.stage, this.why] = ['asking', ''];
    try {
      await this.#compute(await this.#way());
    } catch (error) {
      this.why = error instanceof Error ? error.message : String(error);
      this.stage = 'failed';
    }
  }

  leave(): void {
    void this.#guest?.leave();
  }

  end(): void {
    this.#worker?.terminate();
  }

  async #way(): Promise<Way> {
    if (this.invitation.startsWith('tab.')) return join(this.invitation.slice(4));
    if (!globalThis.RTCPeerConnection) throw new Unusable('no way');
    const { text, opened } = await answer(this.invitation);
    [this.answer, this.stage] = [text, 'answered'];
    return opened;
  }

  async #compute(way: Way): Promise<void> {
    const worker = new Worker(new URL('../../../worker/train/guest.ts', import.meta.url), { type: 'module' });
    this.#worker = worker;
    worker.addEventListener('error', ({ message }) => {
      way.close();
      [this.stage, this.why] = ['failed', message];
    });
    this.#guest = wrap<Guest>(worker);
    // A shared training is repeatable to the bit: the build is the one that every browser has.
    await this.#guest.start(studio, 'simd128', transfer(way.port, [way.port]), proxy((joined: Joined) => (this.joined = joined)));
    this.stage = 'joined';
  }
}
