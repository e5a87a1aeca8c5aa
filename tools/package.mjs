// npm run package (and npm pack by itself): the package's ways in, from www/lib/package/ to package/, one module each with its types.
// tsdown is the bundler for libraries; the wasm modules and the weights stay files, but for `inline`, which has them inside.

import { readFileSync, rmSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';
import { bundle } from './bundle.mjs';
import { setup } from './setup.mjs';
import { inRoot, main, Obstacle } from './shell.mjs';
import { buildWasm } from './wasm.mjs';

const OUT = inRoot('package');

/** What a page that reads drawings loads: the client, its worker and one build of the module that reads, with brotli. */
const CORE = ['package/index.js', 'package/worker.js', 'www/public/wasm/simd128.wasm'];
const LIMIT = 200_000;

await main(async () => {
  await setup();
  await buildWasm();
  await buildPackage();
});

async function buildPackage() {
  rmSync(OUT, { recursive: true, force: true });
  await bundle(OUT);
  const size = CORE.reduce((sum, file) => sum + brotliCompressSync(readFileSync(inRoot(file))).length, 0);
  if (size > LIMIT) throw new Obstacle(`the package's core is ${size} bytes with brotli; the limit is ${LIMIT}.`);
  console.log(`package/: the core is ${(size / 1000).toFixed(1)} kB with brotli`);
}
