// What games and actions are called in the page's language.

import type { Game } from '../../lib/types';
import { m } from '../../texts/play';
import { count, decimal } from '../../ui/format';

export const GAMES: Record<Game['name'], () => string> = {
  catch: () => m.catch_name(),
  breakout: () => m.breakout_name(),
  space_invaders: () => m.space_invaders_name(),
};

export const RULES: Record<Game['name'], () => string> = {
  catch: () => m.catch_rules(),
  breakout: () => m.breakout_rules(),
  space_invaders: () => m.space_invaders_rules(),
};

export const ACTIONS: Record<Game['actions'][number], () => string> = {
  stay: () => m.stay(),
  left: () => m.left(),
  right: () => m.right(),
  fire: () => m.fire(),
};

export const SIGNS: Record<Game['actions'][number], string> = { stay: '•', left: '←', right: '→', fire: '↑' };

/** What a game needs its keys in: as a hand has them, whatever the order in the engine is. */
export const ORDER: Game['actions'] = ['left', 'stay', 'right', 'fire'];

/** Points: whole ones without decimals. */
export const score = (points: number) => (Number.isInteger(points) ? (points < 0 ? '−' : '') + count(Math.abs(points)) : decimal(points));
