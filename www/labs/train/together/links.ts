// The ways between the page that leads a training and those who compute for it: a broadcast channel between pages of one
// browser, a WebRTC data channel between devices of one network. No server stands between them, none helps them meet.

/** Bytes that wait to be sent; beyond them the sender waits. */
const FULL = 1 << 20;
/** Milliseconds for the browser to find this device's own addresses. */
const GATHERING = 3000;
/** The longest invitation. */
const LONGEST = 8192;
const NAME = 'hitofude-together-';

/** A way to somebody: what comes in at the port goes out there, null closes it at either end. */
export type Way = { port: MessagePort; close: () => void };

/** Why an invitation or an answer cannot be used. */
export class Unusable extends Error {}

type Word = { to: string; from: string; piece: Uint8Array<ArrayBuffer> | 'hello' | null };

function isWord(data: unknown): data is Word {
  if (typeof data !== 'object' || data === null) return false;
  const { to, from, piece } = data as Partial<Word>;
  const named = (name: unknown) => typeof name === 'string' && name.length <= 40;
  return named(to) && named(from) && (piece === 'hello' || piece === null || piece instanceof Uint8Array);
}

export const fresh = (): string => [...crypto.getRandomValues(new Uint8Array(9))].map((byte) => (byte % 36).toString(36)).join('');

/** A port whose other end is bridged to `send`, and what to do with what comes from there. */
function bridge(send: (piece: Uint8Array<ArrayBuffer>) => void, closed: () => void): { way: Way; take: (piece: unknown) => void; gone: () => void } {
  const { port1, port2 } = new MessageChannel();
  let open = true;
  const gone = () => {
    if (!open) return;
    open = false;
    port1.postMessage(null);
    closed();
  };
  port1.onmessage = ({ data }: MessageEvent<unknown>) => (data === null ? gone() : open && send(data as Uint8Array<ArrayBuffer>));
  return { way: { port: port2, close: gone }, take: (piece) => open && port1.postMessage(piece), gone };
}

/** Lets pages of this browser join under this code. Returns what ends it. */
export function listen(code: string, joined: (way: Way) => void): () => void {
  const channel = new BroadcastChannel(NAME + code);
  const known = new Map<string, ReturnType<typeof bridge>>();
  channel.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (!isWord(data) || data.to !== 'leader') return;
    const { from, piece } = data;
    const there = known.get(from);
    if (piece === 'hello' && !there && known.size < 64) {
      const post = (piece: Word['piece']) => channel.postMessage({ to: from, from: 'leader', piece } satisfies Word);
      const link = bridge(post, () => (known.delete(from), post(null)));
      known.set(from, link);
      joined(link.way);
      post('hello');
    } else if (piece === null) there?.gone();
    else if (piece !== 'hello') there?.take(piece);
  };
  return () => {
    for (const { gone } of known.values()) gone();
    channel.close();
  };
}

/** Joins the page that listens under this code. Rejects where there is none. */
export function join(code: string): Promise<Way> {
  const own = fresh();
  const channel = new BroadcastChannel(NAME + code);
  const post = (piece: Word['piece']) => channel.postMessage({ to: 'leader', from: own, piece } satisfies Word);
  const link = bridge(post, () => {
    post(null);
    channel.close();
  });
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => (channel.close(), reject(new Unusable('nobody'))), 5000);
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (!isWord(data) || data.to !== own) return;
      if (data.piece === 'hello') {
        clearTimeout(late);
        resolve(link.way);
      } else if (data.piece === null) link.gone();
      else link.take(data.piece);
    };
    addEventListener('pagehide', () => link.gone());
    post('hello');
  });
}

/** An invitation for one device: its text, what takes that device's answer, and the way there once it is open. */
export type Invitation = { text: string; accept: (answer: string) => Promise<void>; opened: Promise<Way>; cancel: () => void };

export async function invite(): Promise<Invitation> {
  const connection = new RTCPeerConnection({ iceServers: [] });
  const opened = through(connection, connection.createDataChannel('training'));
  opened.catch(() => {});
  await connection.setLocalDescription();
  const accept = async (text: string) => {
    const sdp = await decode(text, 'answer');
    await connection.setRemoteDescription({ type: 'answer', sdp }).catch(() => Promise.reject(new Unusable('another')));
  };
  return { text: await described(connection), accept, opened, cancel: () => connection.close() };
}

/** The answer to an invitation, and the way to who sent it once it is open. */
export async function answer(text: string): Promise<{ text: string; opened: Promise<Way> }> {
  const sdp = await decode(text, 'offer');
  const connection = new RTCPeerConnection({ iceServers: [] });
  const opened = new Promise<Way>((resolve, reject) => {
    connection.ondatachannel = ({ channel }) => through(connection, channel).then(resolve, reject);
  });
  await connection.setRemoteDescription({ type: 'offer', sdp }).catch(() => Promise.reject(new Unusable('broken')));
  await connection.setLocalDescription();
  return { text: await described(connection), opened };
}

function through(connection: RTCPeerConnection, channel: RTCDataChannel): Promise<Way> {
  channel.binaryType = 'arraybuffer';
  channel.bufferedAmountLowThreshold = FULL / 2;
  const queue: Uint8Array<ArrayBuffer>[] = [];
  const flush = () => {
    while (queue.length && channel.readyState === 'open' && channel.bufferedAmount < FULL) channel.send(queue.shift()!);
  };
  channel.onbufferedamountlow = flush;
  const link = bridge(
    (piece) => {
      queue.push(piece);
      flush();
    },
    // What was said last goes out before the way is closed.
    () => setTimeout(() => connection.close(), 200),
  );
  channel.onmessage = ({ data }: MessageEvent<unknown>) => link.take(data instanceof ArrayBuffer ? new Uint8Array(data) : data);
  channel.onclose = link.gone;
  addEventListener('pagehide', () => link.gone());
  return new Promise((resolve, reject) => {
    const opened = () => resolve(link.way);
    if (channel.readyState === 'open') opened();
    else channel.onopen = opened;
    connection.onconnectionstatechange = () => {
      if (connection.connectionState === 'failed') reject(new Unusable('unreachable'));
      if (['failed', 'closed'].includes(connection.connectionState)) link.gone();
    };
  });
}

/** This end's description with its addresses, as text. */
async function described(connection: RTCPeerConnection): Promise<string> {
  await new Promise<void>((resolve) => {
    const done = () => connection.iceGatheringState === 'complete' && resolve();
    connection.onicegatheringstatechange = done;
    setTimeout(resolve, GATHERING);
    done();
  });
  const { type, sdp } = connection.localDescription!;
  const bytes = new TextEncoder().encode(sdp);
  const packed = new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate-raw'))).arrayBuffer());
  return `${type}.${btoa(String.fromCharCode(...packed)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`;
}

/** The description in a text that a person has brought, or a link with it. */
async function decode(text: string, type: 'offer' | 'answer'): Promise<string> {
  const found = text.trim().match(/(?:^|#join=)(offer|answer)\.([\w-]+)$/);
  if (!found || text.length > LONGEST) throw new Unusable('broken');
  if (found[1] !== type) throw new Unusable('other way');
  try {
    const bytes = Uint8Array.from(atob(found[2]!.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
    let sdp = '';
    const decoder = new TextDecoder('utf-8', { fatal: true });
    for (let part = await plain.read(); !part.done; part = await plain.read()) {
      sdp += decoder.decode(part.value as Uint8Array<ArrayBuffer>, { stream: true });
      if (sdp.length > 8 * LONGEST) throw new Unusable('broken');
    }
    if (!sdp.startsWith('v=0')) throw new Unusable('broken');
    return sdp;
  } catch {
    throw new Unusable('broken');
  }
}
