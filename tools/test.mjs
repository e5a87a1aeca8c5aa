// npm test: sets up what the tests need and runs everything, a line for each step; of a failed step the whole output.
//   npm test -- clippy wasm    only the steps whose name has one of these words

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { findBrowser } from './browser.mjs';
import { nodeCounts, rustCounts } from './counts.mjs';
import { hasMpi, WITHOUT_MPI } from './mpi.mjs';
import { setup } from './setup.mjs';
import { inRoot, main, npm, Obstacle, runLabelled } from './shell.mjs';
import { cargoEnv, FLAVOURS } from './wasm.mjs';

const DENY = ['--', '-D', 'warnings'];
const WASM = ['--target', 'wasm32-unknown-unknown', '--no-default-features', '--features', 'studio,formats,systems,bits,gpu'];
const SITE = 'site build';
const denyInDocs = { RUSTDOCFLAGS: '-D warnings' };

await main(async () => {
  await setup({ tests: true });
  const results = [];
  for (const step of chosen(steps(), process.argv.slice(2))) results.push(await runStep(step));
  process.exitCode = summary(results);
});

function steps() {
  const wasmEnv = cargoEnv(FLAVOURS[0]);
  // With MPI the same build tests trainings under mpirun, too.
  const native = ['--features', hasMpi() ? 'gpu,mpi' : 'gpu'];
  return [
    { name: 'rustfmt', command: ['cargo', 'fmt', '--check'] },
    { name: 'clippy', command: ['cargo', 'clippy', '--all-targets', ...native, ...DENY] },
    { name: 'clippy, wasm32', command: ['cargo', 'clippy', ...WASM, '--lib', '--test', 'browser', ...DENY], env: wasmEnv },
    { name: 'clippy, reading alone', command: ['cargo', 'clippy', '--lib', ...WASM.slice(0, 3), ...DENY], env: wasmEnv },
    { name: 'clippy, translating alone', command: ['cargo', 'clippy', '--lib', ...WASM.slice(0, 3), '--features', 'convert', ...DENY], env: wasmEnv },
    { name: 'Rust docs', command: ['cargo', 'doc', '--no-deps', '--lib', '--features', 'gpu'], env: denyInDocs },
    { name: 'Rust docs, wasm32', command: ['cargo', 'doc', '--no-deps', '--lib', ...WASM], env: { ...wasmEnv, ...denyInDocs } },
    {
      name: 'Rust tests',
      command: ['cargo', 'test', '--no-fail-fast', ...native, '--', '--show-output'],
      counts: (output) => withMpi(rustCounts(output)),
    },
    ...FLAVOURS.map(wasmTests),
    { name: 'tools tests', command: nodeTests('tools'), counts: nodeCounts },
    { name: SITE, command: [process.execPath, 'tools/build.mjs'] },
    { name: 'TypeScript', onSite: true, command: npm('run', 'check') },
    { name: 'TypeScript docs', onSite: true, command: npm('run', 'docs') },
    { name: 'page tests', onSite: true, command: nodeTests('page'), counts: nodeCounts, env: { CHROME: findBrowser().chrome } },
  ];
}

/** Notes that the tests of MPI were left out, where they were. */
function withMpi(counts) {
  return hasMpi() ? counts : { ...counts, skipped: [...counts.skipped, WITHOUT_MPI] };
}

/** The Rust tests that need neither files nor processes, in a headless browser. */
function wasmTests(flavour) {
  const { chromedriver } = findBrowser();
  const args = ['test', '--headless', '--chrome', '--chromedriver', chromedriver, '--mode', 'no-install'];
  return {
    name: `wasm tests, ${flavour.name}`,
    command: ['wasm-pack', ...args, '.', ...WASM.slice(2), '--test', 'browser'],
    counts: rustCounts,
    env: {
      ...cargoEnv(flavour),
      WASM_BINDGEN_TEST_TIMEOUT: '600',
      WASM_BINDGEN_TEST_WEBDRIVER_JSON: webdriverSettings(),
    },
  };
}

/** Writes what chromedriver is to start, and how, and returns the file's path. */
function webdriverSettings() {
  const { chrome, flags } = findBrowser();
  const file = inRoot('target', 'webdriver.json');
  mkdirSync(inRoot('target'), { recursive: true });
  writeFileSync(file, JSON.stringify({ 'goog:chromeOptions': { binary: chrome, args: flags } }));
  return file;
}

function nodeTests(folder) {
  const files = readdirSync(inRoot('tests', folder)).filter((name) => name.endsWith('.test.mjs'));
  if (files.length === 0) throw new Obstacle(`there is no *.test.mjs in tests/${folder}.`);
  return [process.execPath, '--test', '--test-reporter=tap', ...files.map((name) => `tests/${folder}/${name}`)];
}

/** The steps named by `words`, or all; one that reads what the site build writes brings it along. */
function chosen(all, words) {
  const named = ({ name }) => words.some((word) => name.includes(word));
  const forSite = all.some((step) => step.onSite && named(step));
  const some = words.length ? all.filter((step) => named(step) || (step.name === SITE && forSite)) : all;
  if (some.length) return some;
  throw new Obstacle(`no step is called ${words.join(' or ')}; there are: ${all.map(({ name }) => name).join('; ')}.`);
}

/** Runs one step. A step without tests of its own counts as one; a test step that ran none has failed. */
async function runStep({ name, command: [program, ...args], env, counts: read }) {
  const { code, output, time } = await runLabelled(name, program, args, { env });
  const counts = read ? read(output) : { passed: code === 0 ? 1 : 0, failed: 0, skipped: [] };
  const ran = counts.passed + counts.failed + counts.skipped.length;
  if (code !== 0 || ran === 0) counts.failed = Math.max(counts.failed, 1);
  const tests = read ? ` · ${ran} tests` : '';
  if (counts.failed === 0) console.log(`ok      ${name} · ${time}${tests}`);
  else console.log(`${output.trimEnd()}\nFAILED  ${name} · ${time}${tests} · exit ${code}`);
  return { name, ...counts };
}

/** Prints what came of it all in one line, after what was left out and what failed; returns the exit code. */
function summary(results) {
  const total = (of) => results.reduce((sum, result) => sum + of(result), 0);
  const failed = total((result) => result.failed);
  for (const { name, skipped } of results) for (const reason of skipped) console.log(`skipped ${name} · ${reason}`);
  for (const { name } of results.filter((result) => result.failed)) console.log(`failed  ${name}`);
  console.log(`${total((r) => r.passed)} passed, ${failed} failed, ${total((r) => r.skipped.length)} skipped`);
  return failed ? 1 : 0;
}
