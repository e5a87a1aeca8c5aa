// The package's ways in as modules, for tools/package.mjs and for tests that need no whole package.

import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inRoot, Obstacle } from './shell.mjs';

const SOURCE = inRoot('www', 'lib', 'package');

const ENTRIES = ['index', 'direct', 'inline', 'elements', 'worker', 'systems-worker'];

/** Libraries whose markup has types of the elements. */
const JSX = ['react', 'vue', 'svelte'];

/** Bundles every way in into the folder `out`, from which the modules and weights are found where the package has them (`../www`, `../pretrained`). */
export async function bundle(out, { dts = true } = {}) {
  const { build } = await import('tsdown');
  const entry = Object.fromEntries(ENTRIES.map((name) => [name, path.join(SOURCE, `${name}.ts`)]));
  await build({
    entry,
    outDir: out,
    cwd: inRoot(),
    config: false,
    logLevel: 'warn',
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    dts,
    clean: false,
    fixedExtension: false,
    sourcemap: true,
    deps: { alwaysBundle: ['comlink'] },
    loader: { '.wasm': 'binary', '.safetensors': 'binary' },
    tsconfig: path.join(SOURCE, 'tsconfig.json'),
  });
  // The map of `inline` would have the modules in it once more.
  const inline = path.join(out, 'inline.js');
  rmSync(`${inline}.map`);
  writeFileSync(inline, readFileSync(inline, 'utf8').replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n'));
  for (const name of dts ? JSX : []) copyFileSync(path.join(SOURCE, 'jsx', `${name}.d.ts`), path.join(out, `${name}.d.ts`));
  for (const name of Object.keys(entry)) if (!existsSync(path.join(out, `${name}.js`))) throw new Obstacle(`${name}.js was not made`);
}
