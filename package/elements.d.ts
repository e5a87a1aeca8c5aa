import { i as FitOptions, l as Model, m as Report, n as Data, p as Prediction, y as Stroke } from "./types-BDw5A0Pj.js";

//#region www/lib/package/pad-element.d.ts
declare class PadElement extends HTMLElement {
  #private;
  static formAssociated: boolean;
  static observedAttributes: string[];
  constructor();
  attributeChangedCallback(name: string): void;
  disconnectedCallback(): void;
  formResetCallback(): void;
  /** The strokes as they were drawn: points [x, y], y down, the pad being one unit wide. */
  get strokes(): Stroke[];
  set strokes(strokes: Stroke[]);
  /** The digit that was read, or an empty text while nothing is drawn or the network is not sure. */
  get value(): string;
  get prediction(): Prediction | null;
  clear(): void;
  undo(): void;
}
//#endregion
//#region www/lib/package/train-element.d.ts
declare class TrainElement extends HTMLElement {
  #private;
  /** What learns. */
  model: Model | null;
  /** What it learns from. */
  data: Data | null;
  options: Omit<FitOptions, 'signal'>;
  /** An epoch each. */
  reports: Report[];
  constructor();
  disconnectedCallback(): void;
  /** Learns until the last epoch; what went wrong is said and sent as an event. */
  start(): Promise<void>;
  /** Ends the learning; what was learnt stays. */
  stop(): void;
}
//#endregion
//#region www/lib/package/elements.d.ts
declare global {
  interface HTMLElementTagNameMap {
    'hitofude-pad': PadElement;
    'hitofude-train': TrainElement;
  }
}
//#endregion
export { PadElement, TrainElement };