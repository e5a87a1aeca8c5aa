// The one thread that reaches beyond the page's own origin: it fetches the address that a person has typed, tells how
// far it is, and ends. The page itself may not: its content security policy allows its own origin only.

import { transfer } from 'comlink';
import { bytes } from '../../lib/fetch';
import type { OnProgress } from '../protocol';
import { serve } from '../serve';

/** Fetches files from elsewhere. */
export interface Download {
  fetch(url: string, onProgress: OnProgress): Promise<Uint8Array>;
}

const download: Download = {
  async fetch(url, onProgress) {
    const data = await bytes({ url }, 'default', { onProgress, credentials: 'omit', referrerPolicy: 'no-referrer' });
    return transfer(data, [data.buffer as ArrayBuffer]);
  },
};

serve(download);
