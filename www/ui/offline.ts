// The page's half of working without a network: it registers the service worker and tells it which of the large files
// this visit used.

const used = new Set<string>();

/** Keeps a file that arrived whole, for visits without a network. */
export function keepOffline(url: string): void {
  used.add(url);
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  register().then(
    ({ active }) => active?.postMessage({ keep: [...used, ...scripts()] }),
    () => {
      // Some browsers refuse it in private windows: the page then needs the network, and nothing else changes.
    },
  );
}

/** The texts, labs and styles that came before the service worker could see them. */
const scripts = () => performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => /\.(js|css)$/.test(name));

let registration: Promise<ServiceWorkerRegistration> | undefined;

function register(): Promise<ServiceWorkerRegistration> {
  registration ??= navigator.serviceWorker.register('offline.js', { scope: './' }).then(() => navigator.serviceWorker.ready);
  return registration;
}
