// <hitofude-pad>: a drawing pad that says what it reads.
//
//   attributes   model (a name or an address; draw), name (in a form), disabled
//   properties   strokes, value (the digit, or '' while it is not sure), prediction
//   events       input while somebody draws, change when a stroke ends, error (its message in detail)
//   parts        pad, answer, clear, undo
//   style        --hitofude-ink, --hitofude-paper, --hitofude-accent, --hitofude-line

import { HtmlElement, styled } from './element';
import { load } from './index';
import type { Model, Prediction, Stroke } from './types';

const STYLE = `
  :host { display: inline-grid; gap: .5rem; inline-size: 16rem; font: 1rem/1.5 system-ui, sans-serif;
    --ink: var(--hitofude-ink, #16181d); --paper: var(--hitofude-paper, #f7f4ec);
    --accent: var(--hitofude-accent, #c73e3a); --line: var(--hitofude-line, #ddd6c7); color: var(--ink); }
  :host([hidden]) { display: none; }
  canvas { inline-size: 100%; aspect-ratio: 1; background: var(--paper); border: 1px solid var(--line); border-radius: 4px;
    touch-action: none; cursor: crosshair; box-sizing: border-box; }
  canvas:focus-visible, button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
  .row { display: flex; align-items: center; gap: .5rem; }
  output { flex: 1; font-variant-numeric: tabular-nums; }
  button { min-inline-size: 44px; min-block-size: 44px; font: inherit; color: inherit; background: none;
    border: 1px solid var(--line); border-radius: 4px; cursor: pointer; }
  :host(:disabled), :host([disabled]) { opacity: .5; pointer-events: none; }
`;

/** Arrow keys move the pen by a sixteenth of the pad. */
const STEP = 1 / 16;
const ARROWS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class PadElement extends HtmlElement {
  static formAssociated = true;
  static observedAttributes = ['model', 'disabled'];

  readonly #internals = this.attachInternals();
  readonly #canvas = document.createElement('canvas');
  readonly #answer = document.createElement('output');
  #strokes: Stroke[] = [];
  #pointer: number | null = null;
  #pen: { at: [number, number]; down: boolean } = { at: [0.5, 0.5], down: false };
  #model: Promise<Model> | null = null;
  #prediction: Prediction | null = null;
  #asked = 0;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open', delegatesFocus: true });
    styled(root, STYLE);
    const canvas = this.#canvas;
    canvas.tabIndex = 0;
    canvas.setAttribute('part', 'pad');
    canvas.setAttribute('role', 'application');
    canvas.setAttribute('aria-label', 'Drawing pad');
    canvas.setAttribute('aria-description', 'Arrow keys move the pen, space puts it down and lifts it, Backspace undoes');
    this.#answer.setAttribute('part', 'answer');
    this.#answer.setAttribute('aria-live', 'polite');
    this.#answer.setAttribute('aria-label', 'Answer');
    const row = document.createElement('div');
    row.className = 'row';
    row.append(this.#answer, button('Undo', () => this.undo()), button('Clear', () => this.clear()));
    root.append(canvas, row);
    canvas.addEventListener('pointerdown', (event) => this.#down(event));
    canvas.addEventListener('pointermove', (event) => this.#move(event));
    for (const end of ['pointerup', 'pointercancel'] as const) canvas.addEventListener(end, (event) => this.#up(event));
    canvas.addEventListener('lostpointercapture', (event) => this.#up(event));
    canvas.addEventListener('keydown', (event) => this.#key(event));
    new ResizeObserver(() => this.#paint()).observe(canvas);
    this.#say();
  }

  attributeChangedCallback(name: string): void {
    if (name === 'disabled') this.#lift();
    if (name !== 'model') return;
    void this.#model?.then((model) => model.dispose(), () => {});
    this.#model = null;
    if (this.#strokes.length) void this.#read();
  }

  disconnectedCallback(): void {
    this.#lift();
    // What is being read has nobody to tell.
    this.#asked++;
    void this.#model?.then((model) => model.dispose(), () => {});
    this.#model = null;
  }

  formResetCallback(): void {
    this.clear();
  }

  formDisabledCallback(): void {
    this.#lift();
  }

  /** The strokes as they were drawn: points [x, y], y down, the pad being one unit wide. */
  get strokes(): Stroke[] {
    return structuredClone(this.#strokes);
  }

  set strokes(strokes: Stroke[]) {
    this.#lift();
    this.#strokes = structuredClone(strokes);
    this.#changed('change');
  }

  /** The digit that was read, or an empty text while nothing is drawn or the network is not sure. */
  get value(): string {
    return this.#prediction && this.#prediction.status !== 'unsure' ? String(this.#prediction.class) : '';
  }

  get prediction(): Prediction | null {
    return this.#prediction;
  }

  clear(): void {
    this.strokes = [];
  }

  undo(): void {
    this.strokes = this.#strokes.slice(0, -1);
  }

  /** By itself or by its fieldset. */
  get #disabled(): boolean {
    return this.matches(':disabled, [disabled]');
  }

  /** Ends the stroke that is being drawn, if one is: what comes next begins another. */
  #lift(): void {
    const pointer = this.#pointer;
    [this.#pointer, this.#pen.down] = [null, false];
    if (pointer !== null && this.#canvas.hasPointerCapture(pointer)) this.#canvas.releasePointerCapture(pointer);
  }

  #down(event: PointerEvent): void {
    if (this.#pointer !== null || event.button !== 0 || this.#disabled) return;
    this.#lift();
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#strokes.push([this.#at(event)]);
    this.#changed('input');
  }

  #move(event: PointerEvent): void {
    if (event.pointerId !== this.#pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length ? events : [event]) this.#strokes.at(-1)!.push(this.#at(one));
    this.#changed('input');
  }

  #up(event: PointerEvent): void {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = null;
    this.#changed('change');
  }

  #key(event: KeyboardEvent): void {
    // One stroke at a time, by pointer or by keys.
    if (this.#disabled || this.#pointer !== null) return;
    const arrow = ARROWS[event.key];
    if (arrow) {
      const step = (v: number, by: number) => Math.min(1, Math.max(0, v + by * STEP));
      this.#pen.at = [step(this.#pen.at[0], arrow[0]), step(this.#pen.at[1], arrow[1])];
      if (this.#pen.down) this.#strokes.at(-1)!.push([...this.#pen.at]);
    } else if (event.key === ' ') {
      this.#pen.down = !this.#pen.down;
      if (this.#pen.down) this.#strokes.push([[...this.#pen.at]]);
    } else if (event.key === 'Backspace') {
      this.#pen.down = false;
      this.#strokes.pop();
    } else return;
    event.preventDefault();
    this.#changed('change');
  }

  #at(event: PointerEvent): [number, number] {
    const box = this.#canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  #changed(event: 'input' | 'change'): void {
    this.#paint();
    void this.#read().then(() => this.dispatchEvent(new Event(event, { bubbles: true, composed: true })));
  }

  #paint(): void {
    const canvas = this.#canvas;
    const side = Math.max(1, Math.round(canvas.clientWidth * devicePixelRatio));
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const context = canvas.getContext('2d')!;
    context.clearRect(0, 0, side, side);
    context.strokeStyle = context.fillStyle = getComputedStyle(this).color;
    [context.lineWidth, context.lineCap, context.lineJoin] = [side / 14, 'round', 'round'];
    for (const stroke of this.#strokes) {
      context.beginPath();
      stroke.forEach(([x, y], i) => (i ? context.lineTo(x * side, y * side) : context.moveTo(x * side, y * side)));
      if (stroke.length === 1) context.lineTo(stroke[0]![0] * side, stroke[0]![1] * side);
      context.stroke();
    }
    if (this.shadowRoot?.activeElement !== canvas) return;
    context.beginPath();
    context.arc(this.#pen.at[0] * side, this.#pen.at[1] * side, side / 60, 0, 7);
    context.fill();
  }

  /** Reads what is drawn; of several readings under way the newest counts. */
  async #read(): Promise<void> {
    const asked = ++this.#asked;
    let [prediction, error]: [Prediction | null, Error | null] = [null, null];
    if (this.#strokes.length) {
      try {
        this.#model ??= load(this.getAttribute('model') ?? 'draw');
        prediction = await (await this.#model).predict({ strokes: this.#strokes });
      } catch (cause) {
        this.#model = null;
        error = cause as Error;
      }
    }
    if (asked !== this.#asked) return;
    this.#prediction = prediction;
    this.#internals.setFormValue(this.value);
    this.#say(error);
  }

  #say(error: Error | null = null): void {
    const { class: digit, probabilities, status } = this.#prediction ?? {};
    if (error) {
      this.#answer.textContent = error.message;
      this.dispatchEvent(new CustomEvent('error', { detail: error.message }));
    } else if (digit === undefined) this.#answer.textContent = 'Nothing drawn';
    else if (status === 'unsure') this.#answer.textContent = 'Not sure';
    else this.#answer.textContent = `${digit} (${(100 * (probabilities?.[digit] ?? 0)).toFixed(0)} %)`;
  }
}

function button(label: string, press: () => void): HTMLButtonElement {
  const element = document.createElement('button');
  [element.type, element.textContent] = ['button', label];
  element.setAttribute('part', label.toLowerCase());
  element.addEventListener('click', press);
  return element;
}
