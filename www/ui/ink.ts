import type { Stroke } from '../lib/types';

/** The brush, as a share of the pad's side. */
const BRUSH = 0.07;

/** Draws strokes on a square canvas, `side` CSS pixels wide, in the canvas's own text colour. */
export function paintInk(canvas: HTMLCanvasElement, strokes: Stroke[], side: number): void {
  canvas.width = canvas.height = Math.round(side * devicePixelRatio);
  const context = canvas.getContext('2d');
  if (!context) return;
  const pixels = canvas.width;
  context.lineWidth = BRUSH * pixels;
  context.lineCap = context.lineJoin = 'round';
  context.strokeStyle = getComputedStyle(canvas).color;
  for (const stroke of strokes) {
    context.beginPath();
    let [lastX, lastY] = [NaN, NaN];
    for (const [u, v] of stroke) {
      const [x, y] = [u * pixels, v * pixels];
      // Points that all but coincide leave specks in wide lines.
      if (Math.hypot(x - lastX, y - lastY) < 1) continue;
      context.lineTo(x, y);
      [lastX, lastY] = [x, y];
    }
    // A dot is a stroke that went nowhere.
    context.lineTo(lastX, lastY);
    context.stroke();
  }
}
