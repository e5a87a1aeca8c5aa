// Running other programs: quiet while all is well, one moving line of progress on a terminal, and one clear line
// instead of a stack trace when something outside the project is in the way.
// Files here run before `npm ci` and on a Node that may be too old, so they import nothing but Node's own modules.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
export const inRoot = (...parts) => path.join(root, ...parts);

/** An obstacle the person can remove: shown as its message alone. */
export class Obstacle extends Error {}

/** Runs a script's body; an obstacle ends it with one line and exit code 1, anything else is our bug and shows its stack. */
export async function main(body) {
  try {
    checkNode();
    await body();
  } catch (error) {
    if (!(error instanceof Obstacle)) throw error;
    console.error(`hitofude: ${error.message}`);
    process.exit(1);
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  // Vite's own range: 21 and the first releases of 22 are out.
  const fits = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22;
  if (!fits) throw new Obstacle(`needs Node 20.19, 22.12 or newer; this is ${process.versions.node}.`);
}

/** What a program prints on stdout, trimmed, or null if it is missing or fails. */
export function capture(command, args = []) {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  return result.status === 0 ? result.stdout.trim() : null;
}

/** The first of `names` that is on PATH, as an absolute path, or null. */
export function which(...names) {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const suffixes = process.platform === 'win32' ? ['.exe', '.cmd'] : [''];
  const files = names.flatMap((name) => folders.flatMap((dir) => suffixes.map((end) => path.join(dir, name + end))));
  return files.find((file) => existsSync(file)) ?? null;
}

/** npm as `[program, ...arguments]`: under `npm start` npm names its own script, the way to run it without a shell. */
export function npm(...args) {
  const script = process.env.npm_execpath;
  return script?.endsWith('.js') ? [process.execPath, script, ...args] : ['npm', ...args];
}

/** Seconds as a person reads them: `0.4 s`, `12 s`, `3 min 20 s`. */
export function seconds(ms) {
  const s = ms / 1000;
  if (s < 10) return `${s.toFixed(1)} s`;
  return s < 90 ? `${Math.round(s)} s` : `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`;
}

/** Runs a program to its end; `onLine` sees each line as it comes. Resolves to `{ code, output }`, both streams in order. */
export function run(command, args, { env = {}, onLine = () => {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env: { ...process.env, NO_COLOR: '1', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const take = (text) => {
      output += text;
      const lines = text.split(/[\r\n]+/).filter((line) => line.trim());
      if (lines.length) onLine(lines.at(-1).trim());
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', take);
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: code ?? signal, output }));
  });
}

/** Like `run`, under a label: a moving line on a terminal, in a log one line when it starts to be slow and one when done. */
export async function runLabelled(label, command, args, options = {}) {
  const started = Date.now();
  const terminal = process.stdout.isTTY;
  const show = (line) => {
    const text = `${label} · ${seconds(Date.now() - started)} · ${line}`;
    process.stdout.write(`\r\x1b[2K${text.slice(0, process.stdout.columns - 1)}`);
  };
  const slow = terminal ? null : setTimeout(() => console.log(`${label} …`), 3000);
  const result = await run(command, args, { ...options, onLine: terminal ? show : undefined });
  clearTimeout(slow);
  if (terminal) process.stdout.write('\r\x1b[2K');
  return { ...result, time: seconds(Date.now() - started) };
}

const NO_NETWORK = new RegExp(
  [
    "could(n't| not) (resolve|connect)",
    'dns error',
    'temporary failure (in name resolution|resolving)',
    'network (is unreachable|failure)',
    'spurious network error',
    'error sending request',
    'could not download',
    'unable to connect|failed to fetch',
    'connection (refused|timed out|reset)',
    'operation timed out',
    'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH',
  ].join('|'),
  'i',
);

/** The first line of a program's output that says the network failed, or null; cargo may lose it and get it back. */
export function networkTrouble(output) {
  if (output.includes('error: could not compile')) return null;
  return output.split('\n').find((line) => NO_NETWORK.test(line))?.trim() ?? null;
}

/** A step that must succeed before anything else can; says what it did and how long it took when it took a while. */
export async function must(label, command, args, { again = 'run the same command again', ...options } = {}) {
  const started = Date.now();
  const { code, output, time } = await runLabelled(label, command, args, options);
  if (code === 0) {
    if (Date.now() - started > 1500) console.log(`${label} · ${time}`);
    return output;
  }
  const trouble = networkTrouble(output);
  if (trouble) throw new Obstacle(`${label}: no network (${trouble}); once it is back, ${again}.`);
  throw new Obstacle(`${label} failed (exit ${code}):\n${output.trimEnd()}`);
}
