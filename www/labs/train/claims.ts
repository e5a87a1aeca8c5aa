// The sources' claims and the networks that they compare, in the page's language. The engine names both in English.

import { m } from '../../texts/train';

const CLAIMS: Record<string, { title: string; says: string }> = {
  'three 3x3 for one 7x7': { title: m.cl_field(), says: m.cl_field_says() },
  skips: { title: m.cl_skips(), says: m.cl_skips_says() },
  'auxiliary loss': { title: m.cl_auxiliary(), says: m.cl_auxiliary_says() },
  'batch norm and the rate': { title: m.cl_norm(), says: m.cl_norm_says() },
  'rate decay': { title: m.cl_decay(), says: m.cl_decay_says() },
  augmentation: { title: m.cl_augment(), says: m.cl_augment_says() },
};

const ARMS: Record<string, string> = {
  'one 7 × 7': m.arm_7(), 'three 3 × 3': m.arm_3(), '4 layers': m.arm_4l(), '24 layers': m.arm_24l(),
  '24 layers with skips': m.arm_24s(), without: m.without(), with: m.arm_with(), 'as they are': m.arm_as_is(),
  varied: m.arm_varied(), constant: m.o_constant(), cosine: m.o_cosine(),
};

/** A claim's title and what it says. */
export function claimOf(name: string): { title: string; says: string } {
  return CLAIMS[name] ?? { title: name, says: '' };
}

/** What one of the compared networks is called. */
export function armOf(name: string): string {
  const [, kind, rate = ''] = name.match(/^(with|without), ([\d.]+)$/) ?? [];
  if (kind) return kind === 'with' ? m.arm_with_rate({ rate }) : m.arm_without_rate({ rate });
  return ARMS[name] ?? name;
}
