import { m } from '../../../texts/together';

/** Why somebody cannot join, in the person's words; what the engine says as it is. */
export function failure(why: string): string {
  const known: Record<string, () => string> = {
    nobody: m.fail_nobody,
    broken: m.fail_broken,
    'other way': m.fail_other,
    another: m.fail_another,
    unreachable: m.fail_unreachable,
    'no way': m.fail_no_way,
  };
  return known[why]?.() ?? why;
}
