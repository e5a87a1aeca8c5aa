// Files arrive as streams, so that a page can say how much of them is here, and are checked before anything uses them.

/** Where a file is, and, when known beforehand, how long it is and what its bytes hash to. */
export type Source = { url: string; bytes?: number; sha256?: string };

/** How much of a file has arrived; `total` is null where the server does not say. */
export type Progress = { loaded: number; total: number | null };

export type FetchOptions = Pick<RequestInit, 'credentials' | 'referrerPolicy'> & {
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
};

/** A file did not arrive (`network`), or is not what was expected (`corrupt`). */
export class LoadError extends Error {
  constructor(
    readonly code: 'network' | 'corrupt' | 'unsupported',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'LoadError';
  }
}

/** Runs `attempt`; if it fails, once more past the HTTP cache, which may hold a damaged copy. */
export async function twice<T>(attempt: (cache: RequestCache) => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await attempt('default');
  } catch (error) {
    if (signal?.aborted || (error instanceof LoadError && error.code === 'unsupported')) throw error;
    return attempt('reload');
  }
}

/** Opens `source` as a response whose body reports its progress while it is read. */
export async function open(source: Source, cache: RequestCache, options: FetchOptions): Promise<Response> {
  const { onProgress, signal, ...request } = options;
  const response = await fetch(source.url, { ...request, cache, signal: signal ?? null }).catch((cause: unknown) => {
    throw new LoadError('network', `${fileName(source)} could not be reached`, { cause });
  });
  if (!response.ok || !response.body) {
    throw new LoadError('network', `${fileName(source)}: the server answered ${response.status}`);
  }
  // A compressed body counts other bytes than the ones that come out of the stream.
  const length = response.headers.has('content-encoding') ? null : response.headers.get('content-length');
  const total = source.bytes ?? (length ? Number(length) : null);
  let loaded = 0;
  const counted = response.body.pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        loaded += chunk.byteLength;
        onProgress?.({ loaded, total });
        controller.enqueue(chunk);
      },
    }),
  );
  return new Response(counted);
}

/** Reads all of `source` and checks its length and hash where they are known. */
export async function bytes(source: Source, cache: RequestCache, options: FetchOptions): Promise<Uint8Array<ArrayBuffer>> {
  const response = await open(source, cache, options);
  const data = await response.arrayBuffer().catch((cause: unknown) => {
    throw new LoadError('network', `${fileName(source)} broke off on the way`, { cause });
  });
  if (source.bytes !== undefined && data.byteLength !== source.bytes) {
    throw new LoadError(
      'corrupt',
      `${fileName(source)} should be ${count(source.bytes)} bytes long and came with ${count(data.byteLength)}`,
    );
  }
  // Browsers offer hashes on secure origins only; elsewhere the reader's own checks remain.
  if (source.sha256 && globalThis.crypto?.subtle) {
    const digest = hex(await crypto.subtle.digest('SHA-256', data));
    if (digest !== source.sha256) {
      throw new LoadError('corrupt', `${fileName(source)} is damaged: its hash is ${digest.slice(0, 8)}… where ${source.sha256.slice(0, 8)}… was expected`);
    }
  }
  return new Uint8Array(data);
}

export function fileName(source: Source): string {
  return new URL(source.url, 'file:').pathname.split('/').pop() ?? source.url;
}

const count = (bytes: number) => bytes.toLocaleString('en');

const hex = (buffer: ArrayBuffer) => [...new Uint8Array(buffer)].map((b) => b.toString(16).padStart(2, '0')).join('');
