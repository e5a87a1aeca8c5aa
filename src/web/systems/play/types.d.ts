/** A game: what is seen, what can be done, and how good play is known to be. */
export type Game = {
  name: 'catch' | 'breakout' | 'space_invaders';
  /** What each plane of a board shows. */
  planes: string[];
  /** Rows and columns. */
  size: [rows: number, columns: number];
  actions: ('stay' | 'left' | 'right' | 'fire')[];
  /** Steps after which an episode is cut off. */
  longest: number;
  /** The mean return of random play, the return of the best play where it is known, and that of a player who has learnt it. */
  random: number;
  best: number | null;
  goal: number;
  /** What it is learnt with, as JSON. */
  settings: string;
};

/** A moment of a game. */
export type Frame = {
  /** A byte for each cell of each plane, 0 or 1 (CHW). */
  board: Uint8Array<ArrayBuffer>;
  /** What the last action paid, and all of this episode. */
  reward: number;
  points: number;
  steps: number;
  /** Whether the episode is over. */
  done: boolean;
};

/** An episode, board after board; what was done and paid on each. On the last one nothing was. */
export type Episode = {
  boards: Uint8Array<ArrayBuffer>;
  actions: Uint8Array<ArrayBuffer>;
  rewards: Float32Array<ArrayBuffer>;
  points: number;
};

/** What a network makes of a board. */
export type BoardView = {
  /** The value of each action, the best of them, and the exact values where they are known. */
  values: Float32Array<ArrayBuffer>;
  best: number;
  exact: number[] | null;
  /** The maps of each layer: channels, height, width, and their values (CHW). */
  maps: { name: string; shape: [number, number, number]; values: Float32Array<ArrayBuffer> }[];
  /** Grad-CAM of the best action, a number for each cell. */
  cam: Float32Array<ArrayBuffer>;
};

/** Values of every action in every moment, one moment after another; `met` is 1 where the player itself gets. */
export type ExactValues = { exact: Float32Array<ArrayBuffer>; learnt: Float32Array<ArrayBuffer>; met: Uint8Array<ArrayBuffer> };

/** What some steps of learning came to. */
export type Stretch = {
  /** Steps of play and of learning in all, and the part of the next action that is random. */
  played: number;
  learnt: number;
  epsilon: number;
  /** The last action. */
  action: number;
  /** The points of each episode that ended, and the steps of play at its end. */
  points: Float32Array<ArrayBuffer>;
  at: Float64Array<ArrayBuffer>;
  /** The mean loss, where there was learning. */
  loss: number | null;
  /** Why it stopped before all its steps. */
  trouble: string | null;
};

/** A step in the replay memory: the board, what was done and paid, whether the game ended; age 0 is the newest. */
export type Shot = { board: Uint8Array<ArrayBuffer>; action: number; reward: number; end: boolean; age: number };

/** The replay memory: steps in it, room for, bytes; its newest steps, and those that were last learnt from. */
export type Strip = { held: number; capacity: number; bytes: number; newest: Shot[]; drawn: Shot[] };

/** All that a learner goes on with but its replay memory. */
export type PlayCheckpoint = {
  params: Float32Array<ArrayBuffer>;
  first: Float32Array<ArrayBuffer>;
  second: Float32Array<ArrayBuffer>;
  average: Float32Array<ArrayBuffer>;
  target: Float32Array<ArrayBuffer>;
  updates: number;
  played: number;
  learnt: number;
};
