// What was measured, as a table that a spreadsheet reads: one line for each case and build, then one for each layer.

import { operations, type Bench } from './bench.svelte';

const HEAD = ['case', 'build', 'layer', 'ms_median', 'ms_low_quartile', 'ms_high_quartile', 'ms_backward', 'gflops', 'ceiling_gflops'];

export function toCsv({ results, ceilings }: Bench): string {
  const lines: (string | number)[][] = [HEAD];
  for (const { kase, rows } of results) {
    for (const { build, time, layers } of rows) {
      const gflops = operations(kase, layers.map(({ layer }) => layer)) / time.median / 1e6;
      lines.push([kase.title, build, '', time.median, time.low, time.high, '', gflops, ceilings[build] ?? '']);
      for (const { layer, forward, backward } of layers) {
        const rate = forward ? (2 * kase.batch * layer.multiplyAdds) / forward / 1e6 : '';
        lines.push([kase.title, build, layer.name, forward, '', '', backward, rate, ceilings[build] ?? '']);
      }
    }
  }
  const cell = (value: string | number) => (typeof value === 'number' ? Number(value.toPrecision(5)) : `"${value}"`);
  return lines.map((line) => line.map(cell).join(',')).join('\n');
}

export function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
