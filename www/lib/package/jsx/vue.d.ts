// `hitofude/vue`: the elements, and what Vue's templates know of them.

import type { DefineComponent } from 'vue';
import type { PadElement, TrainElement } from './elements.js';

export { PadElement, TrainElement };

declare module 'vue' {
  interface GlobalComponents {
    'hitofude-pad': DefineComponent<{ model?: string; name?: string; disabled?: boolean; multiple?: boolean; threshold?: number }>;
    'hitofude-train': DefineComponent<{ epochs?: number; model?: TrainElement['model']; data?: TrainElement['data']; options?: TrainElement['options'] }>;
  }
}
