//#region www/lib/package/errors.d.ts
/** A call that was refused: `code` says why in a word, the message what to do. */
declare class Refused extends Error {
  readonly code: 'shape' | 'value' | 'format' | 'missing' | 'empty' | 'network' | 'corrupt' | 'unsupported';
  constructor(code: 'shape' | 'value' | 'format' | 'missing' | 'empty' | 'network' | 'corrupt' | 'unsupported', message: string, options?: ErrorOptions);
}
//#endregion
export { Refused as t };