// Node: reads a drawing, then learns two gestures that it has never seen.
//   npm install hitofude && node index.mjs

import { load } from 'hitofude';

const model = await load('draw');
const seven = { strokes: [[[0, 0], [60, 0], [25, 100]]] };
const { class: digit, status } = await model.predict(seven);
console.log(`${digit} ${status}`);

// A tick and a cross, as somebody would draw them ten times.
const around = (i) => 8 * Math.sin(7.3 * i);
const tick = (i) => ({ strokes: [[[around(i), 60], [35, 100 + around(i + 1)], [100, around(i + 2)]]] });
const cross = (i) => ({ strokes: [[[around(i), 0], [100, 100 + around(i)]], [[100, around(i + 1)], [around(i + 2), 100]]] });
const inputs = Array.from({ length: 20 }, (_, i) => (i % 2 ? cross(i) : tick(i)));
const labels = inputs.map((_, i) => i % 2);

await model.withClasses(2);
await model.freeze('conv*');
for await (const { epoch, loss } of model.fit({ inputs, labels }, { epochs: 20, batch: 5, rate: 0.002 })) {
  if (epoch % 10 === 0) console.log(`epoch ${epoch}: loss ${loss.toFixed(3)}`);
}
const { accuracy } = await model.evaluate({ inputs, labels });
console.log(`learnt: ${Math.round(100 * accuracy)} % right`);
const again = await load(await model.save());
const { class: gesture } = await again.predict(cross(99));
console.log(['tick', 'cross'][gesture]);
