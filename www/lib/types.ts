// What crosses the wall between the engine and JavaScript. Most of it the engine's door defines (src/web/types.d.ts).

import type { Ink, Model, Step } from '../public/wasm/hitofude.js';

export type { Answer, Ink, Layer, Model, Picture, Reading, Step, Stroke } from '../public/wasm/hitofude.js';
export type {
  Checkpoint, Claim, Classified, ColourPicture, Drawn, Example, Explainer, FeatureLayer, Gathered,
  IdxFiles, LayerKind, Lesson, Neighbours, Network, Node, Numeric, Outline, PaintingOptions, PaintingReport, Preset, Reasons, Softmax, Spread, Sums, Tensor,
  WayBack, Wish, Working,
} from '../public/wasm/studio/hitofude.js';
export type { BitChoice, Bits, FewLayer, WholeSum } from '../public/wasm/bits/hitofude.js';
export type { About, Format, Port, Row } from '../public/wasm/formats/hitofude.js';
export type {
  BoardView, Captioned, DetectorStep, DrawnScene, Episode, ExactValues, FoundDigit, Frame, Game, GanRound, PixelClass, PixelMask, PlayCheckpoint, ScenePicture,
  SaidSentence, SeenRegions, Shot, StreetView, Stretch, Strip, ToldScene, Weather,
} from '../public/wasm/systems/hitofude.js';

/** The two builds of the engine: the same source, with and without relaxed SIMD. */
export type Build = 'simd128' | 'relaxed-simd';

/** The engine once its wasm is compiled. */
export interface Engine {
  readonly build: Build;
  /** Opens the network in a safetensors file; throws an `Error` with a `code` if there is none. */
  open(weights: Uint8Array): Model;
  /** The four steps from a drawing to a network's input. */
  preprocess(ink: Ink): Step[];
}
