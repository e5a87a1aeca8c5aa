// `hitofude/svelte`: the elements, and what Svelte's markup knows of them.

import type { HTMLAttributes } from 'svelte/elements';
import type { NumberReading, PadElement, TrainElement } from './elements.js';

export { PadElement, TrainElement };

declare module 'svelte/elements' {
  interface SvelteHTMLElements {
    'hitofude-pad': HTMLAttributes<PadElement> & { model?: string; name?: string; disabled?: boolean; multiple?: boolean; threshold?: number; onreading?: (event: CustomEvent<NumberReading>) => void };
    'hitofude-train': HTMLAttributes<TrainElement> & { epochs?: number; model?: TrainElement['model']; data?: TrainElement['data']; options?: TrainElement['options']; onreport?: (event: CustomEvent<TrainElement['reports'][number]>) => void; ondone?: (event: Event) => void };
  }
}
