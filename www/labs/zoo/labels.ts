// Names beside the points of a chart, none over another.

export type Label = { x: number; y: number; end: boolean };
type Box = [left: number, top: number, right: number, bottom: number];

/** Roughly what a letter and a line take at the larger of the chart's two sizes of type. */
const [LETTER, LINE] = [9.5, 19];
const GAP = 9;

const overlap = (a: Box, b: Box) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

/**
 * A place for each name, on the baseline, within `width` and `height`: beside its point where there is room, else further up
 * or down. `end` is for one that ends there.
 */
export function labelled(points: { name: string; x: number; y: number }[], width: number, height: number): Label[] {
  const taken: Box[] = points.map(({ x, y }) => [x - 5, y - 5, x + 5, y + 5]);
  const shifts = Array.from({ length: 14 }, (_, i) => Math.ceil(i / 2) * LINE * (i % 2 ? 1 : -1) + 5);
  return points.map(({ name, x, y }) => {
    const wide = name.length * LETTER;
    const places = shifts.flatMap((shift) => [false, true].map((end) => ({ x: x + (end ? -GAP : GAP), y: y + shift, end })));
    const box = (place: Label): Box => [place.end ? place.x - wide : place.x, place.y - LINE + 4, place.end ? place.x : place.x + wide, place.y + 4];
    const free = places.find((place) => {
      const [left, top, right, bottom] = box(place);
      return left >= 0 && right <= width && top >= 0 && bottom <= height && !taken.some((other) => overlap(other, [left, top, right, bottom]));
    });
    const place = free ?? (places[0] as Label);
    taken.push(box(place));
    return place;
  });
}
