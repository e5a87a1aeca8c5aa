/** A call that was refused: `code` says why in a word, the message what to do. */
export class Refused extends Error {
  constructor(
    readonly code: 'shape' | 'value' | 'format' | 'missing' | 'empty' | 'network' | 'corrupt' | 'unsupported',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'Refused';
  }
}

/** Throws the signal's reason once it has been aborted. */
export function stop(signal: AbortSignal | undefined): void {
  signal?.throwIfAborted();
}
