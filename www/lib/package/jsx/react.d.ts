// `hitofude/react`: the elements, and what JSX knows of them in React 19 and Preact's compatible builds.

import type { DetailedHTMLProps, HTMLAttributes } from 'react';
import type { NumberReading, PadElement, TrainElement } from './elements.js';

export { PadElement, TrainElement };

type Tag<E, More> = DetailedHTMLProps<HTMLAttributes<E>, E> & More;

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'hitofude-pad': Tag<PadElement, { model?: string; name?: string; disabled?: boolean; multiple?: boolean; threshold?: number; onreading?: (event: CustomEvent<NumberReading>) => void; onchange?: (event: Event) => void; oninput?: (event: Event) => void; onerror?: (event: CustomEvent<string>) => void }>;
      'hitofude-train': Tag<TrainElement, { epochs?: number; model?: TrainElement['model']; data?: TrainElement['data']; options?: TrainElement['options']; onreport?: (event: CustomEvent<TrainElement['reports'][number]>) => void; ondone?: (event: Event) => void; onerror?: (event: CustomEvent<string>) => void }>;
    }
  }
}
