// What a view is set to, in the address: a link opens it as it was left. What a view begins with stays out of it, and
// whoever leaves a view takes its settings along.

import { untrack } from 'svelte';

type Values = Record<string, [value: string | number, standard: string | number]>;

/** Milliseconds that values must stay as they are: browsers refuse an address that changes with every move of a slider. */
const CALM = 250;

/** The number under `key` in the address where it lies between `min` and `max`, else `standard`. */
export function linkedNumber(key: string, standard: number, min: number, max: number): number {
  const value = Number(new URLSearchParams(location.search).get(key) ?? NaN);
  return value >= min && value <= max ? value : standard;
}

/** The word under `key` in the address, else `standard`. */
export function linkedWord(key: string, standard = ''): string {
  return new URLSearchParams(location.search).get(key) ?? standard;
}

/** Keeps values, each beside what it begins with, in the address for as long as the component lives that calls this. */
export function link(values: () => Values): void {
  $effect(() => {
    const now = values();
    const timer = setTimeout(() => write(now), CALM);
    return () => clearTimeout(timer);
  });
  $effect(() => () => write(Object.fromEntries(Object.keys(untrack(values)).map((key) => [key, ['', '']]))));
}

function write(values: Values): void {
  const url = new URL(location.href);
  for (const [key, [value, standard]] of Object.entries(values)) {
    if (value === standard) url.searchParams.delete(key);
    else url.searchParams.set(key, String(value));
  }
  if (url.href !== location.href) history.replaceState(null, '', url);
}
