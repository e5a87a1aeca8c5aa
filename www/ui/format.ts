// Numbers as the page writes them.

const MINUS = '−';
/** A narrow space that does not break. */
export const THIN = '\u202f';

/** Three significant digits, no exponent: 0.312, −4.07, 12.3. */
export function decimal(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return '0';
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.01 ? 2 : 3;
  return (value < 0 ? MINUS : '') + size.toFixed(digits);
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)}${THIN}%`;
}

export function count(value: number): string {
  return value.toLocaleString('en').replaceAll(',', THIN);
}

/** Bytes in kilobytes, for progress. */
export function kilobytes(bytes: number): string {
  return `${count(Math.round(bytes / 1000))} kB`;
}
