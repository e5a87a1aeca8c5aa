import { createHash } from 'node:crypto';
import type { Plugin } from 'vite';

/** Tells the service worker which files this build consists of. */
export function offline(): Plugin {
  return {
    name: 'offline',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const files = Object.keys(bundle).filter((name) => name !== 'offline.js' && !name.endsWith('.map'));
        const worker = bundle['offline.js'];
        if (worker?.type !== 'chunk') return this.error('the service worker is missing from the build');
        if (!worker.code.includes('__FILES__')) return this.error('the service worker does not ask for its files');
        worker.code = worker.code.replace('__FILES__', JSON.stringify(files));
        // All other names carry a hash; the page's has to be told, or its change alone would not reach a visitor offline.
        const page = bundle['index.html'];
        if (page?.type !== 'asset') return this.error('the page is missing from the build');
        worker.code += `\n// index.html ${createHash('sha256').update(page.source).digest('hex')}\n`;
      },
    },
  };
}
