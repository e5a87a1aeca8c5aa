// The benchmark in headless Chromium, from a server of its own.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { chromium } from 'playwright-core';
import { findBrowser } from '../tools/browser.mjs';
import { inRoot } from '../tools/shell.mjs';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };
const COLD = ['simd128', 'relaxed-simd', 'onnxruntime', 'tensorflow', 'jax'];

/** Runs benches/page.html, and each contender's cold start `colds` times; resolves to the figures of every round. */
export async function inBrowser(settings, colds, say) {
  const { chrome, flags } = findBrowser();
  const server = await serve();
  const browser = await chromium.launch({ executablePath: chrome, args: flags });
  try {
    const measured = await timed(browser, server, settings, say);
    const { parameters, layers } = measured;
    const cold = [];
    for (let i = 0; i < colds; i++) {
      // Memory once. jax-js takes minutes for the larger cases: not in a run that leaves the cpu backend out, too.
      const cases = (name) => (i > 0 || (name === 'jax' && !settings.cpu) ? ['b1'] : ['b1', 'b100', 'train100']);
      for (const name of COLD) cold.push(await start(browser, server, name, [parameters, layers, cases(name)]));
    }
    return { ...measured, cold, browser: `Chromium ${browser.version()}` };
  } finally {
    await browser.close();
    server.close();
  }
}

async function timed(browser, { url }, settings, say) {
  const page = await open(browser, `${url}benches/page.html`);
  page.on('console', (message) => say(message.text()));
  await keepPriority(browser);
  const result = await page.evaluate((given) => globalThis.bench(given), settings);
  await page.context().close();
  return result;
}

async function start(browser, server, name, given) {
  server.served.clear();
  const page = await open(browser, `${server.url}benches/cold.html`);
  const figures = await page.evaluate((all) => globalThis.cold(...all), [name, ...given]);
  await page.context().close();
  // The benchmark's own modules are no part of any contender.
  const files = [...server.served].filter(([file]) => file.includes('node_modules') || file.includes('wasm'));
  return { ...figures, bytes: files.reduce((sum, [, body]) => sum + packed(body), 0) };
}

async function open(browser, url) {
  const page = await (await browser.newContext()).newPage();
  page.on('pageerror', (error) => console.error(`${url}: ${error.message}`));
  await page.goto(url);
  return page;
}

/** A plain file server for the repository; `served` holds the files that were asked for. */
async function serve() {
  const served = new Map();
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const file = path.normalize(decodeURIComponent(pathname)).slice(1);
    const body = file.startsWith('..') ? null : await readFile(inRoot(file)).catch(() => null);
    if (!body) return response.writeHead(404).end();
    served.set(file, body);
    response.writeHead(200, { 'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream' }).end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => (server.closeAllConnections(), server.close());
  return { url: `http://127.0.0.1:${server.address().port}/`, served, close };
}

const sizes = new Map();

/** Bytes with brotli, at its best but for what takes it half a minute. */
function packed(body) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: body.length > 4e6 ? 9 : 11 };
  const key = createHash('sha256').update(body).digest('hex');
  if (!sizes.has(key)) sizes.set(key, brotliCompressSync(body, { params }).length);
  return sizes.get(key);
}

/** Gives the pages the priority of this process again: Chromium takes them down to nice 5, however it was started. */
async function keepPriority(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  for (const { id } of processInfo.filter(({ type }) => type === 'renderer')) {
    try {
      os.setPriority(id, os.getPriority());
    } catch {
      // Only root may; others measure at Chromium's own priority.
    }
  }
}
