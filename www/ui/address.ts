// What changes the computation stands in the address, so that a link carries it. Defaults stay out of it.

/** The value of `key` in the address if it is one of `known`, else null. */
export function fromAddress<T extends string>(key: string, known: readonly T[]): T | null {
  const value = new URLSearchParams(location.search).get(key);
  return known.find((name) => name === value) ?? null;
}

/** The address of a lab, set to `more`, in the language that the present address asks for. */
export function address(lab: string | null, more: Record<string, string> = {}): string {
  const lang = new URLSearchParams(location.search).get('lang');
  const query = new URLSearchParams({ ...(lab && { lab }), ...more, ...(lang && { lang }) }).toString();
  return query ? `./?${query}` : './';
}

/** Writes `key` into the address, or takes it out with null. */
export function toAddress(key: string, value: string | null): void {
  const url = new URL(location.href);
  if (value === null) url.searchParams.delete(key);
  else url.searchParams.set(key, value);
  history.replaceState(null, '', url);
}
