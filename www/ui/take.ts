// What a person takes away.

/** Hands a file to the person. */
export function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Rows as comma-separated values. */
export function csv(head: string[], rows: (number | string)[][]): string {
  const cell = (value: number | string) => (typeof value === 'string' && /[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : String(value));
  return [head, ...rows].map((row) => row.map(cell).join(',')).join('\n') + '\n';
}
