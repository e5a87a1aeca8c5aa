// What the commands need besides rustup, Node and git, brought in when missing and left alone when there:
// the wasm target, wasm-bindgen at exactly the crate's version, the npm packages; for the tests also rustfmt, clippy,
// wasm-pack, browsers and Open MPI. Tools go to `.tools/`, inside the checkout. When nothing is missing this takes half a second.

import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { browserForTests, firefoxForTests, vulkanForTests } from './browser.mjs';
import { mpiForTests } from './mpi.mjs';
import { capture, inRoot, must, npm, Obstacle, which } from './shell.mjs';

const WASM = 'wasm32-unknown-unknown';
const WASM_PACK = '0.15.1';

/** Checks and completes this machine's set-up; `tests` adds what only `npm test` needs. */
export async function setup({ tests = false } = {}) {
  extendPath();
  checkRust();
  if (tests) await browserForTests();
  if (tests) await firefoxForTests();
  if (tests) await vulkanForTests();
  if (tests) await mpiForTests();
  if (tests) await rustComponents('rustfmt', 'clippy');
  await wasmTarget();
  await npmPackages();
  await cargoTool('wasm-bindgen', 'wasm-bindgen-cli', lockedVersion('wasm-bindgen'));
  if (tests) await cargoTool('wasm-pack', 'wasm-pack', WASM_PACK);
}

/** `.tools/bin` comes first; rustup's folder counts even where the shell has not been restarted since its installation. */
function extendPath() {
  const cargoBin = path.join(process.env.CARGO_HOME || path.join(os.homedir(), '.cargo'), 'bin');
  const rust = which('cargo') ? [] : [cargoBin];
  process.env.PATH = [inRoot('.tools', 'bin'), process.env.PATH, ...rust].join(path.delimiter);
}

function checkRust() {
  const found = capture('rustc', ['--version'])?.match(/^rustc (\d+)\.(\d+)\S*/);
  if (!found || !which('cargo')) throw new Obstacle('needs Rust: install it with rustup, then run the same command again.');
  const needed = readFileSync(inRoot('Cargo.toml'), 'utf8').match(/^rust-version = "(\d+)\.(\d+)"/m);
  const [have, want] = [found, needed].map(([, major, minor]) => Number(major) * 1000 + Number(minor));
  if (have < want) {
    throw new Obstacle(`needs Rust ${needed[1]}.${needed[2]} or newer; this is ${found[0]}. Run: rustup update stable`);
  }
}

async function wasmTarget() {
  const lib = capture('rustc', ['--print', 'target-libdir', '--target', WASM]);
  if (lib && existsSync(lib)) return;
  if (!which('rustup')) throw new Obstacle(`this Rust has no ${WASM} target and there is no rustup to add it.`);
  await must(`Rust's ${WASM} target`, 'rustup', ['target', 'add', WASM]);
}

async function rustComponents(...names) {
  const program = { rustfmt: 'fmt', clippy: 'clippy' };
  const missing = names.filter((name) => capture('cargo', [program[name], '--version']) === null);
  if (missing.length === 0) return;
  if (!which('rustup')) throw new Obstacle(`this Rust has no ${missing.join(' and ')} and there is no rustup to add it.`);
  await must(missing.join(' and '), 'rustup', ['component', 'add', ...missing]);
}

/** Installs what the package-lock.json of a folder names, unless it is there. */
export async function npmPackages(label = 'npm packages', folder = '.') {
  const installed = inRoot(folder, 'node_modules', '.package-lock.json');
  const wanted = inRoot(folder, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs) return;
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--fetch-retry-mintimeout=1000'];
  const [program, ...args] = npm('ci', '--prefix', inRoot(folder), ...flags);
  await must(label, program, args);
}

/** The version of a crate in Cargo.lock: wasm-bindgen's tool reads only modules made by the very same version. */
function lockedVersion(crate) {
  return readFileSync(inRoot('Cargo.lock'), 'utf8').match(`name = "${crate}"\nversion = "(.*)"`)[1];
}

/** Installs a cargo tool into `.tools/` unless that version is there or on PATH. */
async function cargoTool(program, crate, version) {
  const found = capture(program, ['--version'])?.split(' ')[1];
  if (found === version) return;
  const target = inRoot('target', 'tools');
  // Unoptimised and without debug information: 45 s instead of minutes on two cores, and the tools are still quick
  // enough for modules of this size.
  const args = ['install', crate, '--version', version, '--root', inRoot('.tools'), '--debug'];
  const env = {
    CARGO_TARGET_DIR: target,
    CARGO_PROFILE_DEV_DEBUG: '0',
    CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS: 'fallback',
    CARGO_BUILD_TARGET: undefined,
    RUSTFLAGS: undefined,
  };
  await must(`${crate} ${version}, built into .tools (about a minute)`, 'cargo', args, { env });
  rmSync(target, { recursive: true, force: true });
}
