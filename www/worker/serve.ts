import { expose } from 'comlink';

/**
 * Lets the page call `desk`. A promise that is rejected with nobody waiting for it would vanish in a thread: its page hears
 * of errors that are thrown, and of nothing else.
 */
export function serve(desk: object): void {
  addEventListener('unhandledrejection', (event) => {
    event.preventDefault();
    reportError(event.reason);
  });
  expose(desk);
}
