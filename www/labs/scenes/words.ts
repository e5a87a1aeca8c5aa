// Places and classes in the page's language.

import type { Weather } from '../../lib/types';
import { m } from '../../texts/scenes';

const PLACES = [
  [m.top_left, m.top, m.top_right],
  [m.left, m.centre, m.right],
  [m.bottom_left, m.bottom, m.bottom_right],
] as const;

/** In which ninth of a picture of this size a box lies. */
export function where([x0, y0, x1, y1]: readonly [number, number, number, number], [width, height]: readonly [number, number]): string {
  const third = (at: number, side: number) => Math.min(2, Math.max(0, Math.floor((3 * at) / side))) as 0 | 1 | 2;
  return PLACES[third((y0 + y1) / 2, height)][third((x0 + x1) / 2, width)]();
}

export const WEATHERS: Record<Weather, () => string> = {
  day: m.day, dusk: m.dusk, night: m.night, rain: m.rain, fog: m.fog, low_sun: m.low_sun,
};

const CLASSES: Record<string, () => string> = {
  sky: m.sky, road: m.road, marking: m.marking, pavement: m.pavement, building: m.building, tree: m.tree, car: m.car, person: m.person, sign: m.sign,
};

/** What a class of pixels is called; a digit is called what it is. */
export const classOf = (name: string): string => CLASSES[name]?.() ?? name;
