// The service worker: after the first visit the page works without a network. Every file but `index.html` has its hash
// in its name, so one cache serves all versions: what is in it is right, and what this version does not list is pruned.

declare const __FILES__: string[];

const worker = self as unknown as ServiceWorkerGlobalScope;

const scope = worker.registration.scope;
const cacheName = `hitofude ${scope}`;
const files = __FILES__.map((file) => new URL(file, scope).href);
const page = new URL('index.html', scope).href;
// The engine's builds and the weights are large; the page names the ones that a visit used. The labs with threads
// of their own are kept once they have been opened, and texts (text-draw-ja) in the language that was read.
const shell = files.filter((url) => !/\.(wasm|safetensors)$|\/text-|\/(Inside|looking|laying|Train|classroom|gpu|pupil|download|Bench|Zoo|compute|teacher|Model|bench|Wiring|Grid|Style|painter|Play|referee|Scenes|watcher|Generate|atelier|Precision|scales|drawings|Join|guest|stale|PictureInput|Curve|Amount|take)-/.test(url));

worker.addEventListener('install', (event) => event.waitUntil(keep(shell)));

worker.addEventListener('activate', (event) => event.waitUntil(prune()));

worker.addEventListener('message', (event) => {
  const urls: unknown = event.data?.keep;
  if (!Array.isArray(urls)) return;
  event.waitUntil(keep(urls.filter((url) => files.includes(url))));
});

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET' || !request.url.startsWith(scope)) return;
  if (request.mode === 'navigate') event.respondWith(newestPage(request));
  // A reload asks for a fresh copy because the one at hand was damaged.
  else if (request.cache !== 'reload') event.respondWith(cachedFirst(request));
});

/** Stores what is not stored yet; the browser's own cache usually still holds it from the visit. */
async function keep(urls: string[]): Promise<void> {
  const cache = await caches.open(cacheName);
  await Promise.all(
    urls.map(async (url) => {
      if (url !== page && (await cache.match(url))) return;
      const response = await fetch(url, { cache: url === page ? 'no-cache' : 'force-cache' });
      if (!response.ok) throw new Error(`${url}: ${response.status}`);
      await cache.put(url, response);
    }),
  );
}

async function prune(): Promise<void> {
  const cache = await caches.open(cacheName);
  const stored = await cache.keys();
  await Promise.all(stored.filter(({ url }) => !files.includes(url)).map((request) => cache.delete(request)));
}

/** Online, the page is always the newest; offline, the one from the last visit. */
async function newestPage(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    const stored = await caches.match(page, { cacheName });
    if (stored) return stored;
    throw error;
  }
}

async function cachedFirst(request: Request): Promise<Response> {
  const stored = await caches.match(request, { cacheName });
  if (stored) return stored;
  const response = await fetch(request);
  if (response.ok && /\.(js|css)$/.test(request.url) && files.includes(request.url)) {
    const copy = response.clone();
    // Storage may be full; the visit goes on.
    void caches.open(cacheName).then((cache) => cache.put(request, copy)).catch(() => {});
  }
  return response;
}
