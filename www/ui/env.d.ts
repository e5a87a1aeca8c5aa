declare module 'virtual:engine-files' {
  import type { Source } from '../lib/fetch';
  import type { Build } from '../lib/types';
  export const wasm: Record<Build, Source>;
  export const studio: Record<Build, Source>;
  export const formats: Record<Build, Source>;
  export const convert: Record<Build, Source>;
  export const systems: Record<Build, Source>;
  export const bits: Record<Build, Source>;
  export const gpu: Record<Build, Source>;
  export const models: Record<string, Source>;
  export const styles: Record<string, Source>;
  export const players: Record<string, Source>;
  export const detectors: Record<string, Source>;
  export const segmenters: Record<string, Source>;
  export const captioners: Record<string, Source>;
  export const generators: Record<string, Source>;
  export const rounded: Record<string, Source>;
}
