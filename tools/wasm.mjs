// The engine for the page, into www/public/wasm/: one source, two builds that share one JavaScript glue.
//   hitofude.js, hitofude.d.ts   the glue; the page hands it the module it has picked
//   simd128.wasm                 runs in every browser, bit-exact
//   relaxed-simd.wasm            fused multiply-add, where the browser has it

import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { brotliCompressSync } from 'node:zlib';
import { inRoot, must, Obstacle } from './shell.mjs';

/** The two builds: cargo's target features, and what wasm-opt may assume (it refuses a module that uses more). */
export const FLAVOURS = [
  { name: 'simd128', features: '+simd128', opt: ['--enable-simd'] },
  { name: 'relaxed-simd', features: '+simd128,+relaxed-simd', opt: ['--enable-simd', '--enable-relaxed-simd'] },
];

/** What rustc uses in every wasm32 module of today besides SIMD. */
const BASE_FEATURES = ['bulk-memory', 'mutable-globals', 'nontrapping-float-to-int', 'sign-ext', 'reference-types', 'multivalue'];

// Recognising alone is 113 kB; training, every layer and every optimiser are the rest.
const LIMIT = 240_000;
const OUT = inRoot('www', 'public', 'wasm');

/**
 * Environment for cargo and wasm-pack. Each build has its own target folder, so that none invalidates another; the
 * folder of the crates' sources, which panic messages carry, is cut so that every machine makes the same bytes.
 */
export function cargoEnv(flavour) {
  const crates = path.join(process.env.CARGO_HOME || path.join(os.homedir(), '.cargo'), 'registry', 'src');
  return {
    CARGO_ENCODED_RUSTFLAGS: [`-Ctarget-feature=${flavour.features}`, `--remap-path-prefix=${crates}=crates`].join('\x1f'),
    CARGO_TARGET_DIR: inRoot('target', 'wasm', flavour.name),
  };
}

/** Builds what is out of date, then checks that the glue is one and that each module is small enough. */
export async function buildWasm() {
  mkdirSync(OUT, { recursive: true });
  for (const flavour of FLAVOURS) await buildFlavour(flavour);
  takeGlue();
  for (const { name } of FLAVOURS) reportSize(name);
}

const bound = (flavour, file) => inRoot('target', 'wasm', flavour.name, 'bound', file);

async function buildFlavour(flavour) {
  const args = ['build', '--lib', '--release', '--no-default-features', '--target', 'wasm32-unknown-unknown'];
  await must(`engine, ${flavour.name} build`, 'cargo', args, { env: cargoEnv(flavour) });
  const built = inRoot('target', 'wasm', flavour.name, 'wasm32-unknown-unknown', 'release', 'hitofude.wasm');
  const output = `${OUT}/${flavour.name}.wasm`;
  if (upToDate(output, built, inRoot('tools', 'wasm.mjs'), inRoot('package-lock.json'))) return;

  const bindArgs = ['--target', 'web', '--omit-default-module-path', '--remove-producers-section', '--out-name', 'hitofude'];
  await must('wasm-bindgen', 'wasm-bindgen', [...bindArgs, '--out-dir', bound(flavour, ''), built]);
  const features = [...BASE_FEATURES.map((name) => `--enable-${name}`), ...flavour.opt];
  // -O1: LLVM leaves nothing to win. -O3 was no faster at run time, 0.1 % smaller, and takes three times as long.
  const optArgs = ['-O1', '--mvp-features', ...features, '--strip-debug', '--strip-producers', '--strip-target-features'];
  const wasmOpt = inRoot('node_modules', 'binaryen', 'bin', 'wasm-opt');
  const [bare, small] = [bound(flavour, 'hitofude_bg.wasm'), bound(flavour, 'optimised.wasm')];
  await must(`wasm-opt, ${flavour.name}`, process.execPath, [wasmOpt, ...optArgs, bare, '-o', small]);
  // Only a finished file may look up to date.
  renameSync(small, output);
}

function upToDate(output, ...inputs) {
  return existsSync(output) && inputs.every((file) => statSync(file).mtimeMs <= statSync(output).mtimeMs);
}

/** One loader serves both builds only while wasm-bindgen writes the same glue for both. */
function takeGlue() {
  for (const file of ['hitofude.js', 'hitofude.d.ts']) {
    const [one, two] = FLAVOURS.map((flavour) => readFileSync(bound(flavour, file), 'utf8'));
    if (one !== two) throw new Obstacle(`the two builds have different ${file}: compare target/wasm/*/bound/${file}.`);
    copyFileSync(bound(FLAVOURS[0], file), `${OUT}/${file}`);
  }
}

function reportSize(name) {
  const bytes = readFileSync(`${OUT}/${name}.wasm`);
  const brotli = brotliCompressSync(bytes).length;
  const kB = (n) => `${(n / 1000).toFixed(1)} kB`;
  console.log(`${name}.wasm: ${kB(bytes.length)}, ${kB(brotli)} with brotli`);
  if (brotli > LIMIT) throw new Obstacle(`${name}.wasm is ${kB(brotli)} with brotli; the limit is ${kB(LIMIT)}.`);
}
