/**
 * Why a call was refused, in a word.
 *
 * - `shape`: sizes that do not fit: another number of values than the network reads, another number of labels than inputs;
 * - `value`: a number, an option or an input out of its range or of another kind;
 * - `format`: bytes that are not what their format says;
 * - `missing`: a name that is not there, a model that has been disposed of;
 * - `empty`: nothing is drawn;
 * - `network`: a file that did not arrive;
 * - `corrupt`: a file that arrived damaged;
 * - `unsupported`: something that cannot be done here, or by this model;
 * - `busy`: the model is learning; wait for that training to end, or leave it;
 * - `memory`: it does not fit into the memory that a page has;
 * - `worker`: the worker could not be started; the message says what to do;
 * - `crashed`: the engine stopped in the middle of its work: a defect of ours. Other models live on.
 */
export type Code =
  | 'shape' | 'value' | 'format' | 'missing' | 'empty' | 'network' | 'corrupt' | 'unsupported' | 'busy' | 'memory' | 'worker' | 'crashed';

const CODES: ReadonlySet<unknown> = new Set<Code>([
  'shape', 'value', 'format', 'missing', 'empty', 'network', 'corrupt', 'unsupported', 'busy', 'memory', 'worker', 'crashed',
]);

/** What every refusal carries, whichever copy of this module made it. */
const BRAND = Symbol.for('hitofude.error');

/** A call that was refused: `code` says why in a word, the message what to do. */
export class HitofudeError extends Error {
  constructor(
    readonly code: Code,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'HitofudeError';
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** Right also for an error of another copy: of `hitofude/inline` beside `hitofude`, of another frame. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && BRAND in value;
  }
}

/** A name or a file whose network needs the module for systems, handed back to whoever has it. */
export class Elsewhere extends Error {
  constructor(readonly source: string | Uint8Array<ArrayBuffer>) {
    super('this network is opened by the module for systems');
  }
}

/** An error as a caller gets it: what the engine, the browser or a download refuses with a code of the list. Others stay what they are. */
export function refusal(error: unknown): unknown {
  if (error instanceof HitofudeError || !(error instanceof Error || isDomException(error))) return error;
  const { message, name, code } = error as Error & { code?: unknown };
  if (CODES.has(code)) return new HitofudeError(code as Code, message, { cause: error });
  if (error instanceof WebAssembly.RuntimeError) {
    return new HitofudeError('crashed', `the engine stopped in the middle of its work (${message}): a defect of hitofude. Load this model again`, { cause: error });
  }
  if (name === 'DataCloneError') return new HitofudeError('value', `this cannot be sent to a worker: ${message}`, { cause: error });
  if (error instanceof RangeError && /alloc|memory|array length/i.test(message)) {
    return new HitofudeError('memory', `this does not fit into memory (${message})`, { cause: error });
  }
  return error;
}

const isDomException = (error: unknown): error is DOMException => typeof DOMException !== 'undefined' && error instanceof DOMException;

/** The refusal of every call of a model that has been disposed of. */
export const gone = () => new HitofudeError('missing', 'this model has been disposed of; load it again');

/** Throws the signal's reason once it has been aborted. */
export function stop(signal: AbortSignal | undefined): void {
  // Not by instanceof: signals come from other windows and from jsdom, too.
  if (signal !== undefined && typeof (signal as Partial<AbortSignal> | null)?.throwIfAborted !== 'function') {
    throw new HitofudeError('value', 'an AbortSignal was expected as signal');
  }
  signal?.throwIfAborted();
}

/** Options, which are an object if they are there at all. */
export function optional<O extends object>(options: O | undefined): O {
  if (options === undefined) return {} as O;
  if (typeof options === 'object' && options !== null) return options;
  throw new HitofudeError('value', `options are an object; got ${options === null ? 'null' : typeof options}`);
}

/** An object of a caller's as JSON. */
export function json(what: string, value: object): string {
  try {
    const text: unknown = JSON.stringify(value);
    if (typeof text === 'string') return text;
  } catch (cause) {
    throw new HitofudeError('value', `${what} cannot be written as JSON`, { cause });
  }
  throw new HitofudeError('value', `${what} cannot be written as JSON`);
}
