// `hitofude/elements`: custom elements for pages without a framework, and with any.

import { PadElement } from './pad-element';
import { TrainElement } from './train-element';

export { PadElement, TrainElement };
export type { NumberReading } from './pad-number';

for (const [name, element] of [['hitofude-pad', PadElement], ['hitofude-train', TrainElement]] as const) {
  // On a server there is nothing to define.
  if (typeof customElements !== 'undefined' && !customElements.get(name)) customElements.define(name, element);
}

declare global {
  interface HTMLElementTagNameMap {
    'hitofude-pad': PadElement;
    'hitofude-train': TrainElement;
  }
}
