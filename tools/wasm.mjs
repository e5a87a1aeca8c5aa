// The engine for the page, into www/public/wasm/: one source, six modules of two builds each. The builds of a module share
// one JavaScript glue.
//   hitofude.js, hitofude.d.ts   the glue; the page hands it the build it has picked
//   simd128.wasm                 runs in every browser, bit-exact
//   relaxed-simd.wasm            fused multiply-add, where the browser has it
//   studio/                      the same for the module that can do everything; the first only reads
//   formats/                     the same for the one that opens models from elsewhere
//   convert/                     the same for the one that translates models of other frameworks, fetched when there is one
//   systems/                     the same for the one whose networks play
//   bits/                        the same for the one whose networks give up bits
//   gpu/                         the same for the one that trains on a GPU, fetched only when that is asked for

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

// Kernels say where lanes are and what is unrolled; in a module that only reads, LLVM's own vectors and unrolled loops are
// bytes alone: 154.7 kB with them, 149.5 without the vectors, 144.1 without either, and one picture as fast. Training has
// loops between the kernels that LLVM speeds up: a step of 32 takes 1.12 times as long without.
const FRUGAL = ['-Cno-vectorize-loops', '-Cno-vectorize-slp', '-Cllvm-args=-unroll-runtime=false'];

// What a GPU's module computes itself are samples and descriptions.
// Most of the operators of ONNX run once for a graph and are no kernels: made small, the module has 385 kB; made fast 462.
const SMALL = { CARGO_PROFILE_RELEASE_OPT_LEVEL: 's' };

// Named inputs, outputs and losses took 2.3 kB of the module that reads: 149.7 kB before them.
// RoIAlign and runs in two stages took 3 kB of the one that trains: 418 kB before them.
// Recurrent and quantised operators, attention and their like took 63 kB of the one for other formats: 417 kB before them. 450 is
// where it shall come back to. Made for size alone ('z') it has 440, and models take 1.4 to 1.7 times as long; with an inlining
// threshold of 25 it has 469, and they take 1.01 to 1.08 times as long.
// What translates models of other frameworks has 323 kB, most of it the reader of HDF5. The module for other formats was at its limit
// without it, and few files need it.
/** The modules: cargo's features (src/web/mod.rs), rustc's flags, where they go, and their most bytes with brotli. */
const MODULES = [
  { name: 'reading', features: [], flags: FRUGAL, folder: '.', limit: 152_500 },
  { name: 'studio', features: ['--features', 'studio'], flags: [], folder: 'studio', limit: 450_000 },
  { name: 'formats', features: ['--features', 'formats'], flags: [], env: SMALL, folder: 'formats', limit: 481_000 },
  { name: 'convert', features: ['--features', 'convert'], flags: FRUGAL, env: SMALL, folder: 'convert', limit: 330_000 },
  { name: 'systems', features: ['--features', 'systems'], flags: [], folder: 'systems', limit: 450_000 },
  { name: 'bits', features: ['--features', 'bits'], flags: FRUGAL, folder: 'bits', limit: 300_000 },
  { name: 'gpu', features: ['--features', 'gpu'], flags: [], env: SMALL, folder: 'gpu', limit: 450_000 },
];

const OUT = inRoot('www', 'public', 'wasm');

/**
 * Environment for cargo and wasm-pack. Each build has its own target folder, so that none invalidates another; the
 * folder of the crates' sources, which panic messages carry, is cut so that every machine makes the same bytes.
 */
export function cargoEnv(flavour, flags = []) {
  const crates = path.join(process.env.CARGO_HOME || path.join(os.homedir(), '.cargo'), 'registry', 'src');
  return {
    CARGO_ENCODED_RUSTFLAGS: [`-Ctarget-feature=${flavour.features}`, `--remap-path-prefix=${crates}=crates`, ...flags].join('\x1f'),
    CARGO_TARGET_DIR: inRoot('target', 'wasm', flavour.name),
  };
}

/** Builds what is out of date, then checks that the glue of a module is one and that each build is small enough. */
export async function buildWasm() {
  for (const module of MODULES) {
    mkdirSync(path.join(OUT, module.folder), { recursive: true });
    // Each build is one thread's work.
    await Promise.all(FLAVOURS.map((flavour) => build(module, flavour)));
    takeGlue(module);
    for (const { name } of FLAVOURS) reportSize(module, name);
  }
}

// Cargo names a module's file alike whatever its features are: each module has its own folder below the build's.
const target = (module, flavour) => path.join(cargoEnv(flavour).CARGO_TARGET_DIR, module.name);
const bound = (module, flavour, file) => path.join(target(module, flavour), 'bound', file);

async function build(module, flavour) {
  const args = ['build', '--lib', '--release', '--no-default-features', ...module.features, '--target', 'wasm32-unknown-unknown'];
  const env = { ...cargoEnv(flavour, module.flags), ...module.env, CARGO_TARGET_DIR: target(module, flavour) };
  const label = `${module.name}, ${flavour.name}`;
  await must(`engine, ${label}`, 'cargo', args, { env });
  const built = path.join(target(module, flavour), 'wasm32-unknown-unknown', 'release', 'hitofude.wasm');
  const output = path.join(OUT, module.folder, `${flavour.name}.wasm`);
  if (upToDate(output, built, inRoot('tools', 'wasm.mjs'), inRoot('package-lock.json'))) return;

  const bindArgs = ['--target', 'web', '--omit-default-module-path', '--remove-producers-section', '--out-name', 'hitofude'];
  await must('wasm-bindgen', 'wasm-bindgen', [...bindArgs, '--out-dir', bound(module, flavour, ''), built]);
  const features = [...BASE_FEATURES.map((name) => `--enable-${name}`), ...flavour.opt];
  // -O1: LLVM leaves nothing to win. -O3 was no faster at run time, 0.1 % smaller, and takes three times as long.
  // The three passes behind it take 0.3 % more away.
  const optArgs = ['-O1', '--dae-optimizing', '--merge-similar-functions', '--vacuum', '--mvp-features', ...features, '--strip-debug', '--strip-producers', '--strip-target-features'];
  const wasmOpt = inRoot('node_modules', 'binaryen', 'bin', 'wasm-opt');
  const [bare, small] = [bound(module, flavour, 'hitofude_bg.wasm'), bound(module, flavour, 'optimised.wasm')];
  await must(`wasm-opt, ${label}`, process.execPath, [wasmOpt, ...optArgs, bare, '-o', small]);
  // Only a finished file may look up to date.
  renameSync(small, output);
}

function upToDate(output, ...inputs) {
  return existsSync(output) && inputs.every((file) => statSync(file).mtimeMs <= statSync(output).mtimeMs);
}

/** One loader serves both builds only while wasm-bindgen writes the same glue for both. */
function takeGlue(module) {
  for (const file of ['hitofude.js', 'hitofude.d.ts']) {
    const [one, two] = FLAVOURS.map((flavour) => readFileSync(bound(module, flavour, file), 'utf8'));
    if (one !== two) throw new Obstacle(`the two builds have different ${file}: compare target/wasm/*/${module.name}/bound/${file}.`);
    copyFileSync(bound(module, FLAVOURS[0], file), path.join(OUT, module.folder, file));
  }
}

function reportSize({ folder, limit }, name) {
  const file = path.join(folder, `${name}.wasm`);
  const bytes = readFileSync(path.join(OUT, file));
  const brotli = brotliCompressSync(bytes).length;
  const kB = (n) => `${(n / 1000).toFixed(1)} kB`;
  console.log(`${file}: ${kB(bytes.length)}, ${kB(brotli)} with brotli`);
  if (brotli > limit) throw new Obstacle(`${file} is ${kB(brotli)} with brotli; the limit is ${kB(limit)}.`);
}
