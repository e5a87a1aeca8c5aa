// What the Scenes lab asks of its thread, and what it hears.

import type { Source } from '../../lib/fetch';
import type { Build, Captioned, DrawnScene, FoundDigit, PixelMask, ScenePicture, SeenRegions, StreetView, ToldScene, Weather } from '../../lib/types';
import type { OnProgress } from '../protocol';

/** A detector that ships, or the one that learns in the page. */
export type Detector = 'faster_rcnn' | 'rcnn' | 'learner';

/** What a detector made of a picture, and how long it took, in milliseconds. */
export type Sight = { seen: SeenRegions; found: FoundDigit[]; took: number };

/** A detector's answers on scenes: for each, its score and whether it is right; and how many digits there were. */
export type Judged = { scenes: number; digits: number; answers: { score: number; right: boolean }[] };

/** What is learnt: steps, scenes in a step, a seed, and what scenes hold, as JSON. */
export type Lesson = { steps: number; batch: number; seed: number; setup: string };

/** What the page hears of a training. */
export type LessonNews = { steps: number; loss: number; rate: number; done: boolean; trouble: string | null };

/** A frame of a drive with what a network makes of it; times in milliseconds. */
export type DriveFrame = { view: StreetView; mask: Uint8Array; drawn: number; took: number };

/** How a sentence is searched: beginnings that are kept, length normalisation, temperature. */
export type Search = { beams: number; length: number; temperature: number };

/** The thread in which scenes are drawn and looked at. */
export interface Watcher {
  start(wasm: Record<Build, Source>, build: Build | null, onProgress: OnProgress): Promise<Build>;
  open(detector: Detector, file: Source, onProgress: OnProgress): Promise<void>;
  /** Opens a network that reads the class of every pixel; returns the names of its classes. */
  read(name: string, file: Source, onProgress: OnProgress): Promise<string[]>;
  scene(setup: string, seed: number): DrawnScene;
  look(detector: Detector, picture: ScenePicture, threshold: number, overlap: number): Sight;
  /** The digits of the picture that it looked at last, chosen otherwise. */
  found(detector: Detector, threshold: number, overlap: number): FoundDigit[];
  /** Answers on so many scenes behind `from`, with what comes of each handed to `hear`; ends early where another one begins. */
  judge(detector: Detector, setup: string, from: number, scenes: number, hear: (judged: Judged) => Promise<void> | void): Promise<void>;
  /** The masks by each of a network's answers. */
  segment(name: string, picture: ScenePicture): { masks: PixelMask[]; took: number };
  learn(lesson: Lesson, hear: (news: LessonNews) => Promise<void> | void): void;
  /** Pauses the training, or goes on. */
  pause(still: boolean): void;
  /** The detector that learns, as a file. */
  save(): Uint8Array<ArrayBuffer>;
  /** A scene that no captioner has learnt from; `held` has a digit at a place where none was ever shown. */
  told(number: number, held: boolean): ToldScene;
  /** Opens the network that writes. */
  captioner(file: Source, onProgress: OnProgress): Promise<void>;
  caption(picture: ScenePicture, language: 'en' | 'ja', search: Search): { caption: Captioned; took: number };
  drive(seed: number, weather: Weather): void;
  frame(name: string, number: number): DriveFrame;
}
