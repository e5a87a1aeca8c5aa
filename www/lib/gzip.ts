/** The most bytes that a file of pictures may unpack to: MNIST's largest has 47 million. */
const MOST = 512 * 2 ** 20;

/** Unpacks a gzip file with the browser's own reader; any other file is given back as it is. */
export async function unpacked(file: Uint8Array): Promise<Uint8Array> {
  if (file[0] !== 0x1f || file[1] !== 0x8b) return file;
  const stream = new Blob([file as BlobPart]).stream().pipeThrough(new DecompressionStream('gzip'));
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new Error('a gzip file is cut off or damaged', { cause });
    });
    if (done) break;
    length += value.length;
    if (length > MOST) throw new Error(`a gzip file unpacks to more than ${MOST} bytes`);
    parts.push(value);
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
