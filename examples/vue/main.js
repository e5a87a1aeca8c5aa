// Vue 3: a name with a dash that is no component is a custom element; events are listened to as those of any element. In a
// template say so once: `app.config.compilerOptions.isCustomElement = (tag) => tag.startsWith('hitofude-')`.

import 'hitofude/elements';
import { createApp, h, ref } from 'vue';

createApp({
  setup() {
    const digit = ref('');
    return () =>
      h('main', [
        h('hitofude-pad', { onChange: ({ target }) => (digit.value = target.value) }),
        h('p', { id: 'out' }, digit.value ? `You drew ${digit.value}` : 'Draw a digit'),
      ]);
  },
}).mount('#app');
