// The tab Find: a sheet and what two detectors make of it. The newest sheet wins.

import { proxy } from 'comlink';
import { detectors } from 'virtual:engine-files';
import type { DrawnScene, FoundDigit } from '../../lib/types';
import { Drawing } from '../../ui/drawing.svelte';
import { FINE_BRUSH } from '../../ui/ink';
import { fromStrokes, readPicture } from '../../ui/pictures/read';
import type { Detector, LessonNews, Sight } from '../../worker/scenes/protocol';
import type { Desk } from './desk.svelte';

/** Pixels of a drawn sheet along its side: twice what detectors read. */
const SHEET = 256;
/** The longest side of a picture that is opened. */
const MOST = 1024;
export const SHEET_KEY = 'sheet';
/** Scenes that nobody has learnt from. */
const UNSEEN = 2_000_000_000;
/** Scenes that a curve is drawn from. */
const JUDGED = 60;

/** A small training: few, large digits on plain paper. */
const SMALL = { steps: 400, batch: 4, seed: 1, setup: JSON.stringify({ count: [1, 4], heights: [24, 56], overlap: 0.1, rotate: 15, coloured: 0, papers: ['plain'] }) };

export type Shown = 'answer' | 'regions' | 'moves';
export type Point = { recall: number; precision: number };

export class Find {
  drawing = new Drawing();
  /** What stands on the sheet: the person's ink, a scene that was drawn, or a picture. */
  source = $state<'pad' | 'scene' | 'picture'>('pad');
  picture = $state.raw<ImageData>();
  scene = $state.raw<DrawnScene>();
  seed = $state(0);
  threshold = $state(0.5);
  overlap = $state(0.4);
  shown = $state<Shown>('answer');
  regions = $state(20);
  eye = $state<'faster_rcnn' | 'learner'>('faster_rcnn');
  sight = $state.raw<Sight>();
  slow = $state.raw<Sight>();
  compared = $state(false);
  /** Whose regions are shown. */
  whose = $state<'fast' | 'slow'>('fast');
  trouble = $state('');
  /** Why a file is no picture, in the page's language. */
  unread = $state('');
  lesson = $state.raw<LessonNews>();
  running = $state(false);
  losses: { at: number[]; values: number[] } = { at: [], values: [] };
  version = $state(0);
  curve = $state.raw<Point[]>([]);
  judged = $state(0);
  #desk: Desk;
  #busy = false;
  #again = false;
  #turn = 0;

  constructor(desk: Desk) {
    this.#desk = desk;
    try {
      this.drawing.put(JSON.parse(sessionStorage.getItem(SHEET_KEY) ?? '[]'));
    } catch {
      // A sheet that cannot be read is an empty one.
    }
  }

  get found(): FoundDigit[] {
    return (this.whose === 'slow' ? this.slow : this.sight)?.found ?? [];
  }

  get judging(): boolean {
    return this.judged > 0 && this.judged < JUDGED;
  }

  /** Looks at what the person has drawn. */
  drawn(): void {
    this.source = 'pad';
    this.scene = undefined;
    try {
      sessionStorage.setItem(SHEET_KEY, JSON.stringify(this.drawing.strokes));
    } catch {
      // The sheet then lives as long as the page.
    }
    if (this.drawing.empty) {
      this.#turn++;
      [this.picture, this.sight, this.slow] = [undefined, undefined, undefined];
      return;
    }
    this.#show(fromStrokes(this.drawing.strokes, SHEET, FINE_BRUSH));
  }

  async next(): Promise<void> {
    this.seed++;
    await this.#guarded(async () => {
      const scene = await this.#desk.watcher.scene('{}', UNSEEN + 1000 + this.seed);
      const picture = new ImageData(scene.width, scene.height);
      picture.data.set(scene.data);
      [this.scene, this.source] = [scene, 'scene'];
      this.#show(picture);
    });
  }

  async open(file: File): Promise<void> {
    await readPicture(file, file.name, MOST).then(
      ({ picture }) => {
        [this.scene, this.source, this.trouble] = [undefined, 'picture', ''];
        this.#show(picture);
      },
      (error: Error) => (this.unread = error.message),
    );
  }

  /** Back to the pad. */
  wipe(): void {
    this.drawing.clear();
    this.drawn();
  }

  async choose(): Promise<void> {
    await this.#guarded(async () => {
      if (this.sight) this.sight = { ...this.sight, found: await this.#desk.watcher.found(this.eye, this.threshold, this.overlap) };
      if (this.slow) this.slow = { ...this.slow, found: await this.#desk.watcher.found('rcnn', this.threshold, this.overlap) };
    });
  }

  /** Whether R-CNN looks, too. */
  async compare(on: boolean): Promise<void> {
    this.compared = on;
    if (!on) [this.slow, this.whose] = [undefined, 'fast'];
    else await this.look();
  }

  async look(): Promise<void> {
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    await this.#guarded(async () => {
      do {
        this.#again = false;
        const { picture } = this;
        const turn = this.#turn;
        if (!picture) break;
        const plain = { width: picture.width, height: picture.height, data: picture.data as Uint8ClampedArray<ArrayBuffer> };
        const see = async (name: Detector) => {
          const file = name !== 'learner' && detectors[name];
          if (file) await this.#desk.open(name, file);
          return this.#desk.watcher.look(name, plain, this.threshold, this.overlap);
        };
        const sight = await see(this.eye);
        if (turn !== this.#turn) continue;
        this.sight = sight;
        if (!this.compared || this.#again) continue;
        const slow = await see('rcnn');
        if (turn === this.#turn) this.slow = slow;
      } while (this.#again);
    });
    this.#busy = false;
  }

  /** Begins a small training, and looks through its eyes. */
  async learn(): Promise<void> {
    [this.losses, this.lesson, this.running, this.eye] = [{ at: [], values: [] }, undefined, true, 'learner'];
    await this.#guarded(() =>
      this.#desk.watcher.learn(
        SMALL,
        proxy((news: LessonNews) => {
          this.lesson = news;
          this.losses.at.push(news.steps);
          this.losses.values.push(news.loss);
          this.version++;
          if (news.done) this.running = false;
          if (news.steps % 20 === 0 || news.done) void this.look();
        }),
      ),
    );
  }

  get steps(): number {
    return SMALL.steps;
  }

  async pause(still: boolean): Promise<void> {
    this.running = !still;
    await this.#guarded(() => this.#desk.watcher.pause(still));
  }

  async see(eye: 'faster_rcnn' | 'learner'): Promise<void> {
    this.eye = eye;
    this.sight = undefined;
    await this.look();
  }

  file = () => this.#desk.watcher.save();

  /** Draws precision and recall over scenes that nobody has learnt from. */
  async judge(): Promise<void> {
    let digits = 0;
    const answers: { score: number; right: boolean }[] = [];
    [this.curve, this.judged] = [[], 0];
    await this.#guarded(async () => {
      const file = detectors[this.eye];
      if (file) await this.#desk.open(this.eye, file);
      await this.#desk.watcher.judge(
        this.eye,
        '{}',
        UNSEEN,
        JUDGED,
        proxy((judged) => {
          digits += judged.digits;
          answers.push(...judged.answers);
          answers.sort((a, b) => b.score - a.score);
          let right = 0;
          this.curve = answers.map((answer, i) => {
            right += Number(answer.right);
            return { recall: right / Math.max(1, digits), precision: right / (i + 1) };
          });
          this.judged += judged.scenes;
        }),
      );
    });
  }

  /** What was open in a thread that died is opened again. */
  revive(): void {
    this.#busy = false;
    [this.running, this.lesson] = [false, undefined];
    if (this.eye === 'learner') this.eye = 'faster_rcnn';
    if (this.picture) void this.look();
    else if (!this.drawing.empty) this.drawn();
    else void this.next();
  }

  #show(picture: ImageData): void {
    this.#turn++;
    this.unread = '';
    this.picture = picture;
    if (this.source !== 'pad') [this.sight, this.slow] = [undefined, undefined];
    void this.look();
  }

  async #guarded(act: () => unknown): Promise<void> {
    try {
      await act();
      this.trouble = '';
    } catch (error) {
      this.trouble = (error as Error).message;
    }
  }
}
