// How <hitofude-pad> looks.

import type { Detection, Stroke } from './types';

export const STYLE = `
  :host { display: inline-grid; gap: .5rem; inline-size: 16rem; font: 1rem/1.5 system-ui, sans-serif;
    --ink: var(--hitofude-ink, #16181d); --paper: var(--hitofude-paper, #f7f4ec);
    --accent: var(--hitofude-accent, #c73e3a); --line: var(--hitofude-line, #ddd6c7); color: var(--ink); }
  :host([hidden]) { display: none; }
  :host([multiple]) { inline-size: 24rem; }
  :host([multiple]) canvas { aspect-ratio: 3 / 2; }
  .said { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  canvas { inline-size: 100%; aspect-ratio: 1; background: var(--paper); border: 1px solid var(--line); border-radius: 4px;
    touch-action: none; cursor: crosshair; box-sizing: border-box; }
  canvas:focus-visible, button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
  .row { position: relative; display: flex; align-items: center; gap: .5rem; }
  output { flex: 1; font-variant-numeric: tabular-nums; }
  button { min-inline-size: 44px; min-block-size: 44px; font: inherit; color: inherit; background: none;
    border: 1px solid var(--line); border-radius: 4px; cursor: pointer; }
  :host(:disabled), :host([disabled]) { opacity: .5; pointer-events: none; }
`;

/** What is on a pad: strokes, what was found, the keyboard's pen if it is to be seen; lengths in the pad's unit, its width. */
type Drawn = { strokes: Stroke[]; digits: Detection[]; brush: number; height: number; pen: [number, number] | null; color: string; accent: string };

/** Paints a pad: its strokes, and a frame around each digit that was found. */
export function paint(canvas: HTMLCanvasElement, { strokes, digits, brush, height, pen, color, accent }: Drawn): void {
  const side = Math.max(1, Math.round(canvas.clientWidth * devicePixelRatio));
  const rows = Math.max(1, Math.round(side * height));
  if (canvas.width !== side || canvas.height !== rows) [canvas.width, canvas.height] = [side, rows];
  const context = canvas.getContext('2d')!;
  context.clearRect(0, 0, side, rows);
  context.strokeStyle = color;
  [context.lineWidth, context.lineCap, context.lineJoin] = [side * brush, 'round', 'round'];
  for (const stroke of strokes) {
    context.beginPath();
    stroke.forEach(([x, y], i) => (i ? context.lineTo(x * side, y * side) : context.moveTo(x * side, y * side)));
    if (stroke.length === 1) context.lineTo(stroke[0]![0] * side, stroke[0]![1] * side);
    context.stroke();
  }
  context.strokeStyle = context.fillStyle = accent;
  [context.lineWidth, context.font] = [Math.max(1, side / 300), `${side / 24}px system-ui, sans-serif`];
  for (const { class: digit, box } of digits) {
    const [x0, y0, x1, y1] = box.map((v) => v * side) as typeof box;
    context.strokeRect(x0, y0, x1 - x0, y1 - y0);
    context.fillText(String(digit), x0, y0 > side / 20 ? y0 - side / 100 : y1 + side / 24);
  }
  if (!pen) return;
  context.fillStyle = color;
  context.beginPath();
  context.arc(pen[0] * side, pen[1] * side, side / 60, 0, 7);
  context.fill();
}
