// Numbers as the page writes them.

import { language } from './language';

const MINUS = '−';
const short = new Intl.NumberFormat(language, { notation: 'compact', maximumSignificantDigits: 3 });
/** A narrow space that does not break. */
export const THIN = '\u202f';

/** Two to three significant digits, no exponent: 0.31, −4.07, 12.3. What three decimals round to nothing is 0, without a sign. */
export function decimal(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size < 0.0005) return '0';
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.01 ? 2 : 3;
  return (value < 0 ? MINUS : '') + size.toFixed(digits);
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)}${THIN}%`;
}

export function count(value: number): string {
  return value.toLocaleString('en').replaceAll(',', THIN);
}

/** A large number in short, to three digits: 8.77M, 877万. */
export const compact = (value: number): string => short.format(value);

/** Bytes in kilobytes, for progress. */
export function kilobytes(bytes: number): string {
  return `${count(Math.round(bytes / 1000))} kB`;
}
