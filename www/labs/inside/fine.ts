// Numbers that may be very small, as gradients are.

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** So many significant digits, as a power of ten where it is smaller than a thousandth: 0.0312, −4.1·10⁻⁵. */
export function fine(value: number, digits = 3): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 1e-3) return value.toPrecision(digits).replace('-', '−');
  const [mantissa = '', power = ''] = value.toExponential(digits - 1).split('e');
  const raised = [...power].map((sign) => (sign === '-' ? '⁻' : sign === '+' ? '' : SUPERSCRIPTS[Number(sign)])).join('');
  return `${mantissa.replace('-', '−')}·10${raised}`;
}
