// <hitofude-pad>: a drawing pad that says what it reads: a digit, or with `multiple` a number of several.
//
//   attributes   model (a name or an address; draw, with multiple faster_rcnn), name (in a form), disabled, multiple,
//                threshold (of multiple, the least score of a digit; 0.5)
//   properties   strokes, value (what was read, or '' while it is not sure), prediction, reading (of multiple)
//   events       input while somebody draws, change when a stroke ends, reading (of multiple, in detail), error (its message in detail)
//   parts        pad, answer, clear, undo
//   style        --hitofude-ink, --hitofude-paper, --hitofude-accent, --hitofude-line
//   language     English, or Japanese where `lang` says so

import { HtmlElement, styled } from './element';
import { load } from './index';
import { paint, STYLE } from './pad-look';
import { announcement, numberOf, type NumberReading } from './pad-number';
import { textsOf, type PadTexts } from './pad-texts';
import type { Model, Prediction, Stroke } from './types';

/** Arrow keys move the pen by a sixteenth of the pad; where there are several digits, by half of that. */
const STEP = 1 / 16;
const ARROWS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class PadElement extends HtmlElement {
  static formAssociated = true;
  static observedAttributes = ['model', 'disabled', 'multiple', 'threshold'];

  readonly #internals = this.attachInternals();
  readonly #canvas = document.createElement('canvas');
  readonly #answer = document.createElement('output');
  readonly #said = document.createElement('span');
  readonly #undo = button('undo', () => this.undo());
  readonly #clear = button('clear', () => this.clear());
  #strokes: Stroke[] = [];
  #pointer: number | null = null;
  #pen: { at: [number, number]; down: boolean } = { at: [0.5, 0.5], down: false };
  #model: Promise<Model> | null = null;
  #prediction: Prediction | null = null;
  #reading: NumberReading | null = null;
  #asked = 0;
  #queue = Promise.resolve();

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open', delegatesFocus: true });
    styled(root, STYLE);
    const canvas = this.#canvas;
    canvas.tabIndex = 0;
    canvas.setAttribute('part', 'pad');
    canvas.setAttribute('role', 'application');
    this.#answer.setAttribute('part', 'answer');
    this.#said.className = 'said';
    this.#said.setAttribute('role', 'status');
    const row = document.createElement('div');
    row.className = 'row';
    row.append(this.#answer, this.#undo, this.#clear, this.#said);
    root.append(canvas, row);
    canvas.addEventListener('pointerdown', (event) => this.#down(event));
    canvas.addEventListener('pointermove', (event) => this.#move(event));
    for (const end of ['pointerup', 'pointercancel'] as const) canvas.addEventListener(end, (event) => this.#up(event));
    canvas.addEventListener('lostpointercapture', (event) => this.#up(event));
    canvas.addEventListener('keydown', (event) => this.#key(event));
    new ResizeObserver(() => this.#paint()).observe(canvas);
    this.#label();
  }

  connectedCallback(): void {
    this.#label();
  }

  attributeChangedCallback(name: string): void {
    if (name === 'disabled') return this.#lift();
    if (name !== 'threshold') {
      this.#lift();
      this.#forget();
      // The pen waits in the middle of the pad, which is lower where there are several digits.
      this.#pen = { at: [0.5, this.multiple ? 1 / 3 : 1 / 2], down: false };
      [this.#prediction, this.#reading] = [null, null];
    }
    this.#label();
    if (this.#strokes.length) void this.#read().then(() => this.#announce());
  }

  disconnectedCallback(): void {
    this.#lift();
    this.#forget();
  }

  #forget(): void {
    void this.#model?.then((model) => model.dispose(), () => {});
    this.#model = null;
    // What is under way fails without it, and nobody waits for that any more.
    this.#asked++;
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

  /** Whether several digits are read, as a number. */
  get multiple(): boolean {
    return this.hasAttribute('multiple');
  }

  set multiple(multiple: boolean) {
    this.toggleAttribute('multiple', multiple);
  }

  /** The digit or the number that was read, or an empty text while nothing is drawn or the network is not sure. */
  get value(): string {
    if (this.multiple) return this.#reading?.status === 'sure' ? this.#reading.number : '';
    return this.#prediction && this.#prediction.status !== 'unsure' ? String(this.#prediction.class) : '';
  }

  /** Of one digit; null with `multiple`. */
  get prediction(): Prediction | null {
    return this.#prediction;
  }

  /** Of several digits: the number, its lines and digits with their boxes and scores; null without `multiple`. */
  get reading(): NumberReading | null {
    return this.#reading;
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
      const by = this.multiple ? STEP / 2 : STEP;
      const step = (k: 0 | 1, most: number) => Math.min(most, Math.max(0, this.#pen.at[k] + by * arrow[k]));
      this.#pen.at = [step(0, 1), step(1, this.#height)];
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
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.width];
  }

  /** The pad's height where its width is 1. */
  get #height(): number {
    return this.#canvas.clientHeight / this.#canvas.clientWidth || 1;
  }

  #changed(event: 'input' | 'change'): void {
    this.#paint();
    void this.#read().then(() => {
      this.#paint();
      if (event === 'change') this.#announce();
      this.dispatchEvent(new Event(event, { bubbles: true, composed: true }));
    });
  }

  #paint(): void {
    const pen = this.shadowRoot?.activeElement === this.#canvas ? this.#pen.at : null;
    const { color } = getComputedStyle(this);
    const accent = getComputedStyle(this).getPropertyValue('--accent').trim();
    paint(this.#canvas, { strokes: this.#strokes, digits: this.#reading?.digits ?? [], brush: this.multiple ? 1 / 60 : 1 / 14, height: this.#height, pen, color, accent });
  }

  /** Reads what is drawn, one drawing after another; of those that wait the newest counts. */
  #read(): Promise<void> {
    const asked = ++this.#asked;
    return (this.#queue = this.#queue.then(() => this.#look(asked)));
  }

  async #look(asked: number): Promise<void> {
    if (asked !== this.#asked) return;
    const { multiple } = this;
    let [prediction, reading, error]: [Prediction | null, NumberReading | null, Error | null] = [null, null, null];
    if (this.#strokes.length) {
      const strokes = this.strokes;
      try {
        this.#model ??= load(this.getAttribute('model') ?? (multiple ? 'faster_rcnn' : 'draw'));
        const model = await this.#model;
        if (multiple) reading = numberOf(await model.detect({ strokes }, { threshold: Number(this.getAttribute('threshold') ?? 0.5) }), strokes);
        else prediction = await model.predict({ strokes });
      } catch (cause) {
        this.#model = null;
        error = cause as Error;
      }
    }
    if (asked !== this.#asked) return;
    [this.#prediction, this.#reading] = [prediction, reading];
    this.#internals.setFormValue(this.value);
    this.#say(error);
    if (reading) this.dispatchEvent(new CustomEvent('reading', { detail: reading, bubbles: true, composed: true }));
  }

  get #texts(): PadTexts {
    return textsOf(this);
  }

  #label(): void {
    const { pad, how, answer, undo, clear } = this.#texts;
    this.#canvas.setAttribute('aria-label', pad);
    this.#canvas.setAttribute('aria-description', how);
    this.#answer.setAttribute('aria-label', answer);
    // Where several digits move about while somebody draws, they are announced when a stroke ends.
    this.#answer.setAttribute('aria-live', this.multiple ? 'off' : 'polite');
    [this.#undo.textContent, this.#clear.textContent] = [undo, clear];
    this.#say();
    this.#paint();
  }

  #say(error: Error | null = null): void {
    const [texts, prediction, reading] = [this.#texts, this.#prediction, this.#reading];
    if (error) {
      this.#answer.textContent = error.message;
      this.dispatchEvent(new CustomEvent('error', { detail: error.message }));
    } else if (reading) {
      const { number, status } = reading;
      this.#answer.textContent = status === 'sure' ? number : number ? texts.doubted(number) : texts.none;
    } else if (!prediction) this.#answer.textContent = texts.nothing;
    else if (prediction.status === 'unsure') this.#answer.textContent = texts.unsure;
    else this.#answer.textContent = `${prediction.class} (${(100 * (prediction.probabilities[prediction.class] ?? 0)).toFixed(0)} %)`;
  }

  /** Says to a screen reader where which digits are. */
  #announce(): void {
    if (this.multiple) this.#said.textContent = this.#reading ? announcement(this.#reading, this.#height, this.#texts) : (this.#answer.textContent ?? '');
  }
}

function button(part: 'undo' | 'clear', press: () => void): HTMLButtonElement {
  const element = document.createElement('button');
  element.type = 'button';
  element.setAttribute('part', part);
  element.addEventListener('click', press);
  return element;
}
