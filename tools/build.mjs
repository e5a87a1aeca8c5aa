// npm run build: the page as a static site in dist/, with relative paths: any static host serves it from any folder.

import { buildPage } from './page.mjs';
import { setup } from './setup.mjs';
import { main } from './shell.mjs';
import { buildWasm } from './wasm.mjs';

await main(async () => {
  await setup();
  await buildWasm();
  await buildPage();
  console.log('dist/ is ready.');
});
