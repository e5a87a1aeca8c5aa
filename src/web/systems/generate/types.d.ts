/** What some steps of two networks came to: losses, and how sure the discriminator was that real digits and drawn ones are real. */
export type GanRound = { steps: number; dLoss: number; gLoss: number; dReal: number; dFake: number; trouble: string | null };

/** Digits that the engine made: 28 × 28 bytes each, 0 paper, 255 ink. */
export type MadeDigits = { pixels: Uint8Array<ArrayBuffer>; labels: Uint8Array<ArrayBuffer> };
