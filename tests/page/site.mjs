// Serves dist/ from a sub-folder, compressed, as a plain static host would, and lets a test spoil single files.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const DIST = fileURLToPath(new URL('../../dist', import.meta.url));
const FOLDER = '/some/folder/';
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};

/**
 * Resolves to `{ url, spoil, served, close }`. `spoil(pattern, change)` passes the bytes of the files that match through
 * `change` (null: answer 404) until `spoil(pattern)`; `served` lists path and bytes on the wire of every answer.
 */
export async function serveSite() {
  const spoilt = new Map();
  const served = [];
  const compressed = promisify(gzip);

  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const path = normalize(pathname.startsWith(FOLDER) ? pathname.slice(FOLDER.length) || 'index.html' : '..');
    const change = [...spoilt].find(([pattern]) => pattern.test(path))?.[1];
    const file = path.startsWith('..') || change === null ? null : await readFile(join(DIST, path)).catch(() => null);
    if (!file) return response.writeHead(404).end();
    const packed = extname(path) !== '.safetensors';
    const body = packed ? await compressed(change?.(file) ?? file) : (change?.(file) ?? file);
    served.push({ path, bytes: body.length });
    response.writeHead(200, {
      'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
      'content-length': body.length,
      'cache-control': path === 'index.html' ? 'no-cache' : 'max-age=600',
      ...(packed && { 'content-encoding': 'gzip' }),
    });
    response.end(body);
  });

  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}${FOLDER}`,
    served,
    spoil: (pattern, change) => (change === undefined ? spoilt.delete(pattern) : spoilt.set(pattern, change)),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Serves the site to `use` and closes it behind. */
export async function withSite(use) {
  const site = await serveSite();
  try {
    await use(site);
  } finally {
    await site.close();
  }
}
