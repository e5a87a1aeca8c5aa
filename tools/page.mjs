// The page as a static site: built into dist/, and served from there as any static host would.

import process from 'node:process';
import { inRoot, must, Obstacle } from './shell.mjs';

const site = { root: inRoot('www'), configFile: inRoot('www', 'vite.config.ts'), logLevel: 'warn' };

/** Writes dist/. */
export async function buildPage() {
  const vite = inRoot('node_modules', 'vite', 'bin', 'vite.js');
  await must('page', process.execPath, [vite, 'build', site.root, '--config', site.configFile, '--logLevel', site.logLevel]);
}

/**
 * Serves dist/ or, `live`, the sources with hot reload. Without a port it takes the first free one from `first` on;
 * a port that was asked for and is taken is an obstacle. Resolves to `{ url, port, close }`.
 */
export async function servePage({ host = '127.0.0.1', port = null, first = 4173, live = false } = {}) {
  const vite = await import('vite');
  const place = { host, port: port ?? first, strictPort: port !== null };
  try {
    const server = live
      ? await (await vite.createServer({ ...site, server: place })).listen()
      : await vite.preview({ ...site, preview: place });
    const bound = server.httpServer.address().port;
    return { url: `http://${host}:${bound}/`, port: bound, close: () => server.close() };
  } catch (error) {
    if (/port \d+ is already in use/i.test(error.message)) {
      throw new Obstacle(`port ${port} is taken; name another one, or none to take the next free one.`);
    }
    if (error.syscall) throw new Obstacle(`cannot serve on ${host}, port ${place.port}: ${error.message}.`);
    throw error;
  }
}
