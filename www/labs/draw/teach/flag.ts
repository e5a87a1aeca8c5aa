// Whether an earlier visit has left a hand: what a first visit must not load to find out.

const key = (model: string) => `hand of ${model}`;

export function isTaught(model: string): boolean {
  try {
    return localStorage.getItem(key(model)) !== null;
  } catch {
    return false;
  }
}

export function setTaught(model: string, taught: boolean): void {
  try {
    if (taught) localStorage.setItem(key(model), '1');
    else localStorage.removeItem(key(model));
  } catch {
    // Storage may be closed to us; the hand then lasts as long as the page.
  }
}
