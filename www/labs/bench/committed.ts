// The results of `npm run bench` that came with this page: what the peers did on another machine, and the answers that are
// right.

import results from '../../../benches/results.json';

export type Peer = { name: string; median?: number; low?: number; high?: number; ratio?: number; refused?: string };

export const committed = {
  machine: results.machine,
  date: results.date,
  browser: results.browser,
  versions: Object.entries(results.versions).map(([name, version]) => `${name} ${version}`),
  ceilings: results.ceilings as Record<string, { median: number }>,
  /** Some numbers of a case's answer, on which every contender agreed. */
  print: (id: string): number[] => find(id).print,
  rows: (id: string): Peer[] => find(id).rows,
};

function find(id: string) {
  const found = results.cases.find((one) => one.id === id);
  if (!found) throw new Error(`benches/results.json has no case ${id}: npm run bench -- --write makes it anew`);
  return found;
}
