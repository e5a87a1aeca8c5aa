// Files from an address that the person typed, fetched by a thread of their own.

import { proxy, wrap } from 'comlink';
import type { Progress } from '../../lib/fetch';
import { m } from '../../texts/train';
import type { Download } from '../../worker/train/download';
import type { Named } from './pictures';

const MNIST = ['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz', 't10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz'];

/** An error in the page's own words. */
export class Told extends Error {}

/** Fetches one file, or from an address that ends with a slash MNIST's four. `onProgress` also gets a way to stop. */
export async function download(
  address: string,
  onProgress: (file: string, progress: Progress, stop: () => void) => void,
): Promise<Named[]> {
  const base = URL.canParse(address) ? new URL(address) : null;
  if (!base || !/^https?:$/.test(base.protocol)) throw new Told(m.address_form());
  const urls = base.pathname.endsWith('/') ? MNIST.map((name) => new URL(name, base)) : [base];
  const worker = new Worker(new URL('../../worker/train/download.ts', import.meta.url), { type: 'module' });
  // One proxy to the end: when one is collected, comlink lets the worker go, and what another proxy asks is never answered.
  const desk = wrap<Download>(worker);
  let stop = () => {};
  const stopped = new Promise<never>((_, reject) => (stop = () => reject(new Told(m.cancelled()))));
  stopped.catch(() => {});
  try {
    const files: Named[] = [];
    for (const url of urls) {
      const path = url.pathname.split('/').pop() || url.host;
      onProgress(path, { loaded: 0, total: null }, stop);
      // Nothing is returned: what a listener returns would have to be sent.
      const hear = proxy((progress: Progress) => void onProgress(path, progress, stop));
      const data = await Promise.race([desk.fetch(url.href, hear), stopped]);
      files.push({ path, blob: new Blob([data as BlobPart]) });
    }
    return files;
  } finally {
    worker.terminate();
  }
}
