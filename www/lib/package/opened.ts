// The weights of a model in the thread that computes: opened with the small module that reads as long as that is enough, in the
// studio from the first call that needs more, and brought into this package's own format where they are in another one.

import { isForeign } from '../convert';
import { translate } from '../../public/wasm/convert/hitofude.js';
import { Model as Reader } from '../../public/wasm/hitofude.js';
import { ModelFile } from '../../public/wasm/formats/hitofude.js';
import { OwnModel } from '../../public/wasm/studio/hitofude.js';
import { gone } from './errors';
import { isSafetensors, knownOf, knownOfArchive, NOTHING, telling, type Known } from './metadata';
import type { LayerInfo, SaveFormat, Shape } from './types';

/** What a model is made of until the studio is needed: the file it came from. */
export type Source = { weights: Uint8Array } | { description: string; seed: number };

/** What is beyond reading, each loaded once. */
export type Modules = { studio: () => Promise<unknown>; formats: () => Promise<unknown>; convert: () => Promise<unknown>; bits: () => Promise<unknown> };

/** All that a model has come to: its file, and the layers that are frozen. */
export type State = { file: Uint8Array<ArrayBuffer>; frozen: string[] };

export type { OwnModel, Reader };

export class Opened {
  protected reader: Reader | null = null;
  protected own: OwnModel | null = null;
  protected known: Known = NOTHING;
  protected frozen: string[] = [];
  protected closed = false;

  constructor(
    private source: Source,
    protected readonly modules: Modules,
  ) {}

  /** Opens the weights: with the module that reads if it can, else in the studio. */
  async open(): Promise<this> {
    if (!('weights' in this.source)) {
      await this.studio();
      return this;
    }
    const given = this.source.weights;
    const foreign = !isSafetensors(given);
    if (foreign) this.source = { weights: await this.written(given, 'safetensors-f32') };
    const { weights } = this.source;
    try {
      this.reader = new Reader(weights);
    } catch (error) {
      // Another network than the catalogue's for digits; the studio says what is wrong if it cannot open it either.
      if (!(error instanceof Error && 'code' in error)) throw error;
      await this.studio();
    }
    const said = knownOf(weights, this.classes);
    const besides = foreign ? knownOfArchive(given, this.classes) : NOTHING;
    this.known = { calibration: said.calibration ?? besides.calibration, names: said.names ?? besides.names };
    return this;
  }

  get name(): string {
    return this.now().name;
  }

  get inputShape(): Shape {
    return this.layers()[0]!.shape;
  }

  get classes(): number {
    return this.layers().at(-1)!.shape.reduce((a, b) => a * b);
  }

  get classNames(): readonly string[] | undefined {
    return this.known.names ?? undefined;
  }

  layers(): LayerInfo[] {
    const layers = this.now().layers();
    return layers.map(({ name, kind, shape, parameters, multiplyAdds }) => ({ name, kind, shape, parameters, multiplyAdds }));
  }

  /** All that it has come to, so that it can be opened anew elsewhere. */
  async state(): Promise<State> {
    await this.studio();
    return this.stateOf(this.learner());
  }

  dispose(): void {
    this.closed = true;
    this.forget();
    this.own?.free();
    this.own = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  protected stateOf(own: OwnModel): State {
    return { file: telling(own.save(32), this.known), frozen: [...this.frozen] };
  }

  /** Makes it what it was before. */
  protected back({ file, frozen, known }: State & { known: Known }): void {
    const next = OwnModel.load(file);
    if (frozen.length) next.freeze(frozen);
    this.own?.free();
    [this.own, this.known, this.frozen] = [next, known, frozen];
  }

  /** A file in another format. */
  protected async written(given: Uint8Array, format: Exclude<SaveFormat, 'safetensors-f16'>): Promise<Uint8Array<ArrayBuffer>> {
    let file = given;
    if (isForeign(given)) {
      await this.modules.convert();
      file = translate([{ name: 'model', bytes: given }]) ?? given;
    }
    await this.modules.formats();
    const model = new ModelFile(file, 'own', undefined);
    try {
      return model.save(format);
    } finally {
      model.free();
    }
  }

  /** Its weights are not those that were opened for reading any more. */
  protected forget(): void {
    this.reader?.free();
    this.reader = null;
  }

  /** What answers now; ask again behind every wait. */
  protected now(): Reader | OwnModel {
    const open = this.reader ?? this.own;
    if (!open) throw gone();
    return open;
  }

  /** Brings the studio, so that there is a learner. */
  protected async studio(): Promise<void> {
    if (this.closed) throw gone();
    if (this.own) return;
    await this.modules.studio();
    if (this.closed) throw gone();
    this.own ??= 'weights' in this.source ? OwnModel.load(this.source.weights) : OwnModel.define(this.source.description, this.source.seed);
  }

  /** What learns, now: behind a wait it may be another one, or none. */
  protected learner(): OwnModel {
    if (!this.own) throw gone();
    return this.own;
  }
}
