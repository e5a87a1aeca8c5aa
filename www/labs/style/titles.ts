// What the page's own pictures are called, in its language; the engine names them in English.

import type { Drawn } from '../../lib/types';
import { m } from '../../texts/style';

const TITLES: Record<string, [title: () => string, line: () => string]> = {
  mountains: [m.p_mountains, m.p_mountains_line],
  torii: [m.p_torii, m.p_torii_line],
  brush: [m.p_brush, m.p_brush_line],
  still_life: [m.p_still_life, m.p_still_life_line],
  blossom: [m.p_blossom, m.p_blossom_line],
  waves: [m.p_waves, m.p_waves_line],
  marbling: [m.p_marbling, m.p_marbling_line],
  starry: [m.p_starry, m.p_starry_line],
  mosaic: [m.p_mosaic, m.p_mosaic_line],
  seigaiha: [m.p_seigaiha, m.p_seigaiha_line],
  hatching: [m.p_hatching, m.p_hatching_line],
  woodcut: [m.p_woodcut, m.p_woodcut_line],
  points: [m.p_points, m.p_points_line],
  asanoha: [m.p_asanoha, m.p_asanoha_line],
};

/** The picture with its title and its line. */
export function titled(one: Drawn): Drawn {
  const [title, line] = TITLES[one.name] ?? [];
  return { ...one, title: title?.() ?? one.title, about: line?.() ?? one.about };
}
