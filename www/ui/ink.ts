import type { Stroke } from '../lib/types';

/** The brush, as a share of the pad's side: for one digit, and for a sheet of several. */
const BRUSH = 0.07;
export const FINE_BRUSH = 0.028;

/** Draws strokes on a square canvas, `side` CSS pixels wide, in the canvas's own text colour. */
export function paintInk(canvas: HTMLCanvasElement, strokes: Stroke[], side: number, brush = BRUSH): void {
  canvas.width = canvas.height = Math.round(side * devicePixelRatio);
  const context = canvas.getContext('2d');
  if (!context) return;
  strokeInk(context, strokes, canvas.width, getComputedStyle(canvas).color, brush);
}

/** Draws strokes in a square of `side` pixels. */
export function strokeInk(context: CanvasRenderingContext2D, strokes: Stroke[], side: number, colour: string, brush = BRUSH): void {
  context.lineWidth = brush * side;
  context.lineCap = context.lineJoin = 'round';
  context.strokeStyle = colour;
  for (const stroke of strokes) context.stroke(curve(stroke, side));
}

/** A stroke as a curve through the middles between its points, so that a quick hand's corners are round. */
function curve([first, ...rest]: Stroke, scale: number): Path2D {
  const path = new Path2D();
  if (!first) return path;
  let [x, y] = [first[0] * scale, first[1] * scale];
  path.moveTo(x, y);
  for (const [u, v] of rest) {
    const [nextX, nextY] = [u * scale, v * scale];
    path.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    [x, y] = [nextX, nextY];
  }
  path.lineTo(x, y);
  return path;
}
