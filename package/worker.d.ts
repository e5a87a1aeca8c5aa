import { a as Input, c as LoadOptions, d as NetworkDefinition, g as Shape, h as SaveFormat, i as FitOptions, m as Report, n as Data, p as Prediction, r as Feature, s as LayerInfo, u as ModelSource } from "./types-BDw5A0Pj.js";

//#region www/lib/package/worker.d.ts
/** What the other side must know of a model at once. */
declare const about: (id: number) => {
  name: string;
  inputShape: Shape;
  classes: number;
  layers: LayerInfo[];
};
type About = ReturnType<typeof about>;
type Answer<T> = {
  value: T;
} | {
  error: {
    name: string;
    message: string;
    code: unknown;
  };
};
type Opened = Omit<LoadOptions, 'signal' | 'onProgress'>;
type OnProgress = NonNullable<LoadOptions['onProgress']>;
declare const desk: {
  load: (call: number, id: number, source: ModelSource, options: Opened, onProgress: OnProgress) => Promise<Answer<{
    name: string;
    inputShape: Shape;
    classes: number;
    layers: LayerInfo[];
  }>>;
  define: (call: number, id: number, network: NetworkDefinition, options: Opened & {
    seed?: number;
  }, onProgress: OnProgress) => Promise<Answer<{
    name: string;
    inputShape: Shape;
    classes: number;
    layers: LayerInfo[];
  }>>;
  predictAll: (call: number, id: number, inputs: Input[], signal?: AbortSignal | undefined) => Promise<Answer<Prediction[]>>;
  features: (call: number, id: number, input: Input, layers: string[], signal?: AbortSignal | undefined) => Promise<Answer<Feature[]>>;
  evaluate: (call: number, id: number, data: Data) => Promise<Answer<{
    accuracy: number;
    loss: number;
  }>>;
  freeze: (call: number, id: number, layers: string[]) => Promise<Answer<void>>;
  withClasses: (call: number, id: number, classes: number, seed?: number) => Promise<Answer<{
    name: string;
    inputShape: Shape;
    classes: number;
    layers: LayerInfo[];
  }>>;
  save: (call: number, id: number, format?: SaveFormat | undefined) => Promise<Answer<Uint8Array<ArrayBuffer>>>;
  fit(training: number, id: number, data: Data, options: FitOptions): void;
  next: (call: number, training: number) => Promise<Answer<IteratorResult<Report, void>>>;
  leave(training: number): Promise<void>;
  abort: (call: number) => void;
  dispose(id: number): void;
};
type Desk = typeof desk;
//#endregion
export { About, Answer, Desk, OnProgress };