import type { Stroke } from '../lib/types';

export type Point = [number, number];

/** What is on the pad: strokes in units of the pad's side, x right, y down. */
export class Drawing {
  #strokes: Stroke[] = [];
  #version = $state(0);
  /** Whether a stroke is being drawn right now. */
  penDown = $state(false);

  /** The strokes so far; whoever reads them is told when they change. */
  get strokes(): Stroke[] {
    void this.#version;
    return this.#strokes;
  }

  get empty(): boolean {
    return this.strokes.length === 0;
  }

  begin(point: Point): void {
    this.#strokes.push([point]);
    this.penDown = true;
    this.#version++;
  }

  extend(points: Point[]): void {
    if (!points.length) return;
    this.#strokes.at(-1)?.push(...points);
    this.#version++;
  }

  end(): void {
    this.penDown = false;
  }

  /** These strokes in place of what is there. */
  put(strokes: Stroke[]): void {
    this.#strokes = strokes.filter(({ length }) => length > 0).map((stroke) => [...stroke]);
    this.end();
    this.#version++;
  }

  undo(): void {
    this.#strokes.pop();
    this.end();
    this.#version++;
  }

  clear(): void {
    this.#strokes = [];
    this.end();
    this.#version++;
  }
}
