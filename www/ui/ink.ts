import type { Stroke } from '../lib/types';

/** The brush, as a share of the pad's side. */
const BRUSH = 0.07;

/** Draws strokes on a square canvas, `side` CSS pixels wide, in the canvas's own text colour. */
export function paintInk(canvas: HTMLCanvasElement, strokes: Stroke[], side: number): void {
  canvas.width = canvas.height = Math.round(side * devicePixelRatio);
  const context = canvas.getContext('2d');
  if (!context) return;
  context.scale(canvas.width, canvas.height);
  context.lineWidth = BRUSH;
  context.lineCap = context.lineJoin = 'round';
  context.strokeStyle = getComputedStyle(canvas).color;
  for (const stroke of strokes) {
    context.beginPath();
    for (const [x, y] of stroke) context.lineTo(x, y);
    // A dot is a stroke that went nowhere.
    if (stroke.length === 1 && stroke[0]) context.lineTo(...stroke[0]);
    context.stroke();
  }
}
