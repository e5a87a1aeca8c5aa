// What the views call things in more than one place.

import { m } from '../../texts/inside';
import type { Look } from './look.svelte';

const KINDS: Record<string, () => string> = {
  conv: m.kind_conv,
  max_pool: m.kind_max_pool,
  average_pool: m.kind_average_pool,
  affine: m.kind_affine,
};

/** What a kind of layer is called. */
export const kindOf = (kind: string): string => KINDS[kind]?.() ?? kind.replaceAll('_', ' ');

/** What a class is called in a list: whether it is the answer or the next best is said, too. */
export function choiceOf({ classes, answer }: Look, place: number): string {
  const name = classes[place] ?? '';
  return place === answer?.best ? m.class_answer({ name }) : place === answer?.second ? m.class_second({ name }) : name;
}
