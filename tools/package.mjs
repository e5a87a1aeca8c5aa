// npm run package (and npm pack by itself): the package's ways in, from www/lib/package/ to package/, one module each with its types.
// tsdown is the bundler for libraries; the wasm modules and the weights stay files, but for `inline`, which has them inside.

import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { bundle } from './bundle.mjs';
import { setup } from './setup.mjs';
import { inRoot, main, Obstacle } from './shell.mjs';
import { buildWasm } from './wasm.mjs';

const OUT = inRoot('package');

/** What a page that reads drawings loads: the client, its worker, what they import, and one build of the module that reads. */
const CORE = ['index.js', 'worker.js'];
const READING = 'www/public/wasm/simd128.wasm';
const LIMIT = 200_000;

await main(async () => {
  await setup();
  await buildWasm();
  await buildPackage();
});

async function buildPackage() {
  rmSync(OUT, { recursive: true, force: true });
  await bundle(OUT);
  const core = [...imported(CORE).values(), readFileSync(inRoot(READING))];
  const size = core.reduce((sum, file) => sum + brotliCompressSync(file).length, 0);
  if (size > LIMIT) throw new Obstacle(`the package's core is ${size} bytes with brotli; the limit is ${LIMIT}.`);
  console.log(`package/: the core is ${(size / 1000).toFixed(1)} kB with brotli`);
}

/** The contents of modules and of what they import at once, by their names. */
function imported(names, all = new Map()) {
  for (const name of names.filter((name) => !all.has(name))) {
    all.set(name, readFileSync(path.join(OUT, name)));
    imported([...String(all.get(name)).matchAll(/^(?:import|export)\b.*?"\.\/([\w.-]+\.js)";$/gm)].map(([, next]) => next), all);
  }
  return all;
}
