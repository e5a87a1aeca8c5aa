// The numbers that are found on a sheet.

import { lines } from '../../lib/lines';
import type { FoundDigit } from '../../lib/types';

/** The number of each line. */
export const numbers = (found: FoundDigit[]): string[] => lines(found).map((line) => line.map(({ digit }) => digit).join(''));
