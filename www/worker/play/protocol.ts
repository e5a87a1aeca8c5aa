// What the Play lab asks of its thread, and what it hears.

import type { Source } from '../../lib/fetch';
import type { BoardView, Build, Episode, ExactValues, Frame, Game, PlayCheckpoint, Strip } from '../../lib/types';
import type { OnProgress } from '../protocol';

/** What is learnt, and from where: a game, its settings as JSON, a seed, and what was come to before. */
export type Order = { game: string; settings: string; seed: number; from: PlayCheckpoint | null };

/** Whose hand plays: the network that learns, or one that has learnt. */
export type Who = 'learner' | 'guest';

/** At rest, learning, or showing what it can without learning. */
export type Mode = 'rest' | 'learn' | 'show';

/** What is to be seen: a frame, what the network makes of it, and what was done before. */
export type Moment = { frame: Frame; view: BoardView; action: number | null };

/** What some steps came to. */
export type Progress = {
  played: number;
  learnt: number;
  epsilon: number;
  /** The points of each episode that ended, and the steps of play at its end. */
  points: number[];
  at: number[];
  loss: number | null;
  /** Steps of play in a second, lately. */
  rate: number;
  /** Why the values were taken back. */
  trouble: string | null;
};

/** What the page hears, at most once while it is busy with what it heard before. */
export type News = { mode: Mode; who: Who; moment: Moment; progress: Progress | null; kept: PlayCheckpoint | null };

/** The thread in which games are played and learnt. */
export interface Referee {
  start(wasm: Record<Build, Source>, build: Build | null, onProgress: OnProgress): Promise<Build>;
  games(): Game[];
  /** Sets a learner up in place of the one before; from now on `hear` is told. */
  open(order: Order, hear: (news: News) => Promise<void> | void): void;
  /** Opens a player that has learnt the game; null has none. */
  guest(player: Source | Uint8Array | null, onProgress: OnProgress): Promise<void>;
  /** Goes over to another way. */
  turn(mode: Mode, who: Who): void;
  /** One step, of learning or of showing. */
  step(learning: boolean, who: Who): void;
  /** Steps of play in a second; Infinity for as many as there can be. */
  pace(steps: number): void;
  /** Part of the actions that is random; null for what the settings say. */
  explore(epsilon: number | null): void;
  /** What a player makes of a board. */
  look(who: Who, board: Uint8Array): BoardView;
  /** The episode that ended last in the game that is in sight. */
  ended(): Episode | null;
  strip(most: number): Strip;
  exact(who: Who): ExactValues;
  /** The mean points of so many episodes of the learner without random actions. */
  judge(episodes: number): number;
  /** The learner's player as a file. */
  save(): Uint8Array<ArrayBuffer>;
  /** Seats a person at a game of their own; returns what they see. */
  sit(game: string, seed: number): Frame;
  /** What the person does. Behind an end the next episode begins. */
  act(action: number): Frame;
}
