// Vite, without configuration: the worker, its modules and the weights come along by themselves.

import { load } from 'hitofude';

const out = document.querySelector('#out');
const model = await load('draw', { onProgress: ({ loaded }) => (out.textContent = `${loaded} bytes`) });
const { class: digit, status } = await model.predict({ strokes: [[[0, 0], [60, 0], [25, 100]]] });
out.textContent = `${digit} ${status}`;
