// <hitofude-train>: teaches a model what a page has collected, with its curve and its controls.
//
//   properties   model (from load or define), data, options (those of fit), reports
//   attributes   epochs
//   events       report (an epoch's, in detail), done, error (its message in detail)
//   parts        start, status, chart
//   style        as <hitofude-pad>

import { HtmlElement, styled } from './element';
import type { Data, FitOptions, Model, Report } from './types';

const STYLE = `
  :host { display: inline-grid; gap: .5rem; inline-size: 20rem; font: 1rem/1.5 system-ui, sans-serif;
    --ink: var(--hitofude-ink, #16181d); --accent: var(--hitofude-accent, #c73e3a); --line: var(--hitofude-line, #ddd6c7);
    color: var(--ink); }
  :host([hidden]) { display: none; }
  svg { inline-size: 100%; block-size: 6rem; border: 1px solid var(--line); border-radius: 4px; box-sizing: border-box; }
  polyline { fill: none; stroke: var(--accent); stroke-width: 2; vector-effect: non-scaling-stroke; }
  button { min-block-size: 44px; font: inherit; color: inherit; background: none; border: 1px solid var(--line);
    border-radius: 4px; cursor: pointer; }
  button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
  output { font-variant-numeric: tabular-nums; }
`;

export class TrainElement extends HtmlElement {
  /** What learns. */
  model: Model | null = null;
  /** What it learns from. */
  data: Data | null = null;
  options: Omit<FitOptions, 'signal'> = {};
  /** An epoch each. */
  reports: Report[] = [];

  readonly #button = document.createElement('button');
  readonly #status = document.createElement('output');
  readonly #line = document.createElementNS('http://www.w3.org/2000/svg', 'polyline');
  readonly #chart = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  #running: AbortController | null = null;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open', delegatesFocus: true });
    styled(root, STYLE);
    this.#button.type = 'button';
    this.#button.setAttribute('part', 'start');
    this.#button.addEventListener('click', () => void (this.#running ? this.stop() : this.start()));
    this.#status.setAttribute('part', 'status');
    this.#status.setAttribute('aria-live', 'polite');
    this.#chart.setAttribute('part', 'chart');
    this.#chart.setAttribute('role', 'img');
    this.#chart.setAttribute('viewBox', '0 0 100 100');
    this.#chart.setAttribute('preserveAspectRatio', 'none');
    this.#chart.append(this.#line);
    root.append(this.#button, this.#chart, this.#status);
    this.#show('Nothing learnt yet');
  }

  disconnectedCallback(): void {
    this.stop();
  }

  /** Learns until the last epoch; what went wrong is said and sent as an event. */
  async start(): Promise<void> {
    if (this.#running) return;
    if (!this.model || !this.data) return this.#fail(new Error('There is no model or no data yet'));
    this.#running = new AbortController();
    this.reports = [];
    const epochs = Number(this.getAttribute('epochs') ?? this.options.epochs ?? 10);
    this.#show('Learning');
    try {
      for await (const report of this.model.fit(this.data, { ...this.options, epochs, signal: this.#running.signal })) {
        this.reports.push(report);
        const { accuracy } = report.validation ?? report;
        this.#show(`Epoch ${report.epoch} of ${epochs}: ${(100 * accuracy).toFixed(1)} % right`);
        this.dispatchEvent(new CustomEvent('report', { detail: report }));
      }
      this.dispatchEvent(new Event('done'));
    } catch (error) {
      if (!this.#running.signal.aborted) this.#fail(error as Error);
    } finally {
      this.#running = null;
      this.#button.textContent = 'Start';
    }
  }

  /** Ends the learning; what was learnt stays. */
  stop(): void {
    this.#running?.abort();
  }

  #fail(error: Error): void {
    this.#show(error.message);
    this.dispatchEvent(new CustomEvent('error', { detail: error.message }));
  }

  #show(status: string): void {
    this.#button.textContent = this.#running ? 'Stop' : 'Start';
    this.#status.textContent = status;
    const losses = this.reports.map(({ loss }) => loss);
    const top = Math.max(...losses, 1e-9);
    const x = (i: number) => (losses.length > 1 ? (100 * i) / (losses.length - 1) : 0);
    this.#line.setAttribute('points', losses.map((loss, i) => `${x(i)},${100 - (95 * loss) / top}`).join(' '));
    const last = losses.at(-1);
    this.#chart.setAttribute('aria-label', last === undefined ? 'Loss: no epoch yet' : `Loss after ${losses.length} epochs: ${last.toFixed(3)}`);
  }
}
