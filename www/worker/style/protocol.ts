// What the Style lab asks of its thread.

import type { Source } from '../../lib/fetch';
import type { Build, ColourPicture, Drawn, FeatureLayer, PaintingOptions, PaintingReport } from '../../lib/types';
import type { OnProgress } from '../protocol';

/** The network that a painting is looked at through. */
export type Eye = { name: string; parameters: number; layers: FeatureLayer[] };

/** Where its weights come from: a seed, a file of the page, or a file of the person's own. */
export type EyeSource = 'random' | Source | File;

/** A style layer's Gram matrix, `size` × `size` row by row: as it is, and as it should be. */
export type Gram = { layer: string; size: number; now: Float32Array; target: Float32Array };

/** The thread that paints. */
export interface Painter {
  start(wasm: Record<Build, Source>, build: Build | null, onProgress: OnProgress): Promise<Build>;
  /** The page's own pictures, and one of them at a size. */
  pictures(): Promise<{ pictures: Drawn[]; defaults: PaintingOptions }>;
  picture(name: string, width: number, height: number): Promise<ColourPicture>;
  /** Opens a feature network in place of the one before; `formats` is the module for files that are no safetensors. */
  see(source: EyeSource, formats: Record<Build, Source>, onProgress: OnProgress): Promise<Eye>;
  /** Bytes that a painting would need; throws where that is too much. */
  need(options: PaintingOptions, style: { width: number; height: number }): number;
  /** Sizes from coarse to fine, the last one the size itself. */
  sizes(width: number, height: number): [width: number, height: number][];
  /** Sets a painting up; it begins where `options` say, or at a picture that was painted before. */
  begin(content: ColourPicture, style: ColourPicture, options: PaintingOptions, from: ColourPicture | null): ColourPicture;
  step(): { report: PaintingReport; image: ColourPicture; milliseconds: number };
  resize(width: number, height: number): void;
  change(options: Partial<PaintingOptions>): ColourPicture;
  grams(layers: string[]): Gram[];
  /** A number that belongs to the painting's bits, in hexadecimal digits. */
  hash(): string;
  /** Opens a network that has learnt one style. */
  learnt(source: Source, onProgress: OnProgress): Promise<void>;
  stylize(picture: ColourPicture): { image: ColourPicture; milliseconds: number };
}
