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

/** A file whose network needs the module for systems, handed back to whoever has it. */
export class Elsewhere extends Error {
  constructor(readonly file: Uint8Array) {
    super('this network is opened by the module for systems');
  }
}

/** Throws the signal's reason once it has been aborted. */
export function stop(signal: AbortSignal | undefined): void {
  signal?.throwIfAborted();
}
