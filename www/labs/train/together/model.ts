// A model of machines that train together: when each computes, sends and waits. Every number follows from these rules.
//
// Computing its part of a batch takes a machine C / N, times 1 + s·e, e drawn for each machine and step from an exponential
// distribution of mean 1. A message of M bytes takes a line M / B and arrives a delay L later; of its packets of 1500 bytes
// a part p is lost, is missed one round trip later and sent again, until all have arrived. With a parameter server all
// gradients come in through its one line, one after another, and all parameters go out through another. In a ring each
// machine hands G / N bytes to the next, 2 (N − 1) times. A machine may go at the beginning of a step; the others miss it
// after four times the time that they compute, and share its part until it is back, five steps later.

export type Way = 'alone' | 'server' | 'ring';

export type World = {
  way: Way;
  /** With a server: nobody waits for anybody, gradients are of parameters that are no longer the newest. */
  asynchronous: boolean;
  machines: number;
  /** Seconds that one machine computes on a batch. */
  compute: number;
  /** Bytes of a gradient, and of the parameters. */
  bytes: number;
  /** Bytes per second of a line, and seconds of its delay. */
  bandwidth: number;
  delay: number;
  /** How much longer a machine takes at times, on average. */
  straggling: number;
  /** Part of the packets that is lost, and chance that a machine goes, for each step. */
  loss: number;
  leaving: number;
  seed: number;
};

export type Kind = 'compute' | 'send' | 'wait' | 'gone';
/** What a machine, or the server's line (number −1), does from when until when. */
export type Span = { machine: number; kind: Kind; from: number; to: number };
/** A step of the parameters: when, from how many steps ago its gradient's parameters were, and part of a batch that it is of. */
export type Update = { at: number; stale: number };
export type Outcome = { spans: Span[]; updates: Update[]; end: number };

const PACKET = 1500;
const BACK = 5;
const PATIENCE = 4;

/** Mulberry32: small and repeatable; it decides nothing but these drawings. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Lines {
  readonly draw: () => number;
  constructor(private readonly world: World) {
    this.draw = random(world.seed);
  }

  /** Seconds of a machine's part of a batch that so many share. */
  part(machines: number): number {
    const { compute, straggling } = this.world;
    return (compute / machines) * (1 - straggling * Math.log(1 - this.draw()));
  }

  /** Seconds that a message keeps a line busy, lost packets included; it arrives a delay later. */
  message(bytes: number): number {
    const { bandwidth, delay, loss } = this.world;
    let [seconds, packets] = [bytes / bandwidth, Math.ceil(bytes / PACKET)];
    for (let round = 0; round < 50; round++) {
      packets = Math.floor(packets * loss + this.draw());
      if (packets === 0 || loss === 0) break;
      seconds += 2 * delay + (packets * PACKET) / bandwidth;
    }
    return seconds;
  }
}

/** Lets the machines take so many steps of the whole batch. */
export function simulate(world: World, steps: number): Outcome {
  if (world.way === 'alone' || world.machines < 2) return alone(world, steps);
  return world.way === 'server' && world.asynchronous ? asynchronous(world, steps) : synchronous(world, steps);
}

function alone(world: World, steps: number): Outcome {
  const lines = new Lines(world);
  const out: Outcome = { spans: [], updates: [], end: 0 };
  for (let step = 0; step < steps; step++) {
    const to = out.end + lines.part(1);
    out.spans.push({ machine: 0, kind: 'compute', from: out.end, to });
    out.updates.push({ at: to, stale: 0 });
    out.end = to;
  }
  return out;
}

function synchronous(world: World, steps: number): Outcome {
  const lines = new Lines(world);
  const { machines, leaving, compute } = world;
  const out: Outcome = { spans: [], updates: [], end: 0 };
  /** When each machine has the parameters, and the step in which it is back. */
  const has = new Array<number>(machines).fill(0);
  const back = new Array<number>(machines).fill(0);
  for (let step = 0; step < steps; step++) {
    let here = has.flatMap((_, m) => (back[m]! <= step ? [m] : []));
    const going = here.filter(() => lines.draw() < leaving).slice(0, here.length - 1);
    const from = new Map(here.map((m) => [m, has[m]!]));
    if (going.length) {
      // The others compute their own parts, miss those, and compute them, too.
      here = here.filter((m) => !going.includes(m));
      const missed = Math.max(...from.values()) + (PATIENCE * compute) / (here.length + going.length);
      for (const m of here) {
        out.spans.push({ machine: m, kind: 'wait', from: from.get(m)!, to: missed });
        from.set(m, missed);
      }
      for (const m of going) back[m] = step + BACK;
    }
    const ready = here.map((m) => {
      const to = from.get(m)! + lines.part(here.length);
      out.spans.push({ machine: m, kind: 'compute', from: from.get(m)!, to });
      return { m, at: to };
    });
    const exchange = world.way === 'ring' ? ring : server;
    const done = exchange(world, lines, ready, out.spans);
    out.updates.push({ at: done.summed, stale: 0 });
    for (const { m, at } of done.at) has[m] = at;
    out.end = Math.max(...done.at.map(({ at }) => at));
    // Who is away comes back with the newest parameters.
    for (const m of has.keys()) {
      if (here.includes(m)) continue;
      out.spans.push({ machine: m, kind: 'gone', from: has[m]!, to: out.end });
      has[m] = out.end;
    }
  }
  return out;
}

type Ready = { m: number; at: number }[];
type Exchange = { summed: number; at: Ready };

/** Gradients in through one line in the order in which they are ready, parameters out through another. */
function server({ bytes, delay }: World, lines: Lines, ready: Ready, spans: Span[]): Exchange {
  let free = 0;
  const order = ready.toSorted((a, b) => a.at - b.at);
  const sent = order.map(({ m, at }) => {
    const from = Math.max(at, free);
    free = from + lines.message(bytes);
    spans.push({ machine: m, kind: 'wait', from: at, to: from }, { machine: m, kind: 'send', from, to: free }, { machine: -1, kind: 'send', from, to: free });
    return { m, at: free };
  });
  const summed = free + delay;
  free = summed;
  const at = sent.map(({ m, at }) => {
    const from = free;
    free += lines.message(bytes);
    spans.push({ machine: m, kind: 'wait', from: at, to: from }, { machine: m, kind: 'send', from, to: free + delay }, { machine: -1, kind: 'send', from, to: free });
    return { m, at: free + delay };
  });
  return { summed, at };
}

/** Every machine hands a part to the next, all at the same time; the slowest message of a round decides. */
function ring({ bytes, delay }: World, lines: Lines, ready: Ready, spans: Span[]): Exchange {
  const n = ready.length;
  const begin = Math.max(...ready.map(({ at }) => at));
  let now = begin;
  for (let round = 0; round < 2 * (n - 1); round++) now += delay + Math.max(...ready.map(() => lines.message(bytes / n)));
  for (const { m, at } of ready) spans.push({ machine: m, kind: 'wait', from: at, to: begin }, { machine: m, kind: 'send', from: begin, to: now });
  return { summed: now, at: ready.map(({ m }) => ({ m, at: now })) };
}

/** Each machine takes the newest parameters, computes, sends, and takes the newest again. */
function asynchronous(world: World, steps: number): Outcome {
  const lines = new Lines(world);
  const { machines, bytes, delay, leaving, compute } = world;
  const out: Outcome = { spans: [], updates: [], end: 0 };
  // The next thing that each does, in the order of time: its gradient is ready, or it wants parameters.
  const queue = Array.from({ length: machines }, (_, m) => ({ m, at: 0, read: 0, sends: false }));
  let [inwards, outwards] = [0, 0];
  while (out.updates.length < steps * machines) {
    queue.sort((a, b) => a.at - b.at || a.m - b.m);
    const next = queue[0]!;
    const { m, at } = next;
    if (next.sends) {
      const from = Math.max(at, inwards);
      inwards = from + lines.message(bytes);
      out.spans.push({ machine: m, kind: 'wait', from: at, to: from }, { machine: m, kind: 'send', from, to: inwards }, { machine: -1, kind: 'send', from, to: inwards });
      // One line: gradients arrive in the order in which they are sent.
      out.updates.push({ at: inwards + delay, stale: out.updates.length - next.read });
      Object.assign(next, { at: inwards + delay, sends: false });
    } else if (lines.draw() < leaving) {
      const to = at + (BACK * compute) / machines;
      out.spans.push({ machine: m, kind: 'gone', from: at, to });
      next.at = to;
    } else {
      const from = at === 0 ? 0 : Math.max(at, outwards);
      const has = at === 0 ? 0 : (outwards = from + lines.message(bytes)) + delay;
      const ready = has + lines.part(machines);
      if (has) out.spans.push({ machine: m, kind: 'wait', from: at, to: from }, { machine: m, kind: 'send', from, to: has });
      out.spans.push({ machine: m, kind: 'compute', from: has, to: ready });
      // What has arrived when the parameters set off is in them.
      const read = out.updates.filter((update) => update.at <= from).length;
      Object.assign(next, { at: ready, read, sends: true });
    }
  }
  out.end = out.updates.at(-1)!.at;
  return out;
}

export type Figures = { step: number; speedup: number; computing: number; communicating: number; stale: number; line: number };

/** What came of it: seconds a step, times one machine, parts of the machines' time, mean staleness, bytes of the busiest line. */
export function figures(world: World, { spans, updates, end }: Outcome, steps: number): Figures {
  const machines = world.way === 'alone' ? 1 : world.machines;
  const time = (kind: Kind) => spans.reduce((sum, span) => (span.machine >= 0 && span.kind === kind ? sum + Math.min(span.to, end) - Math.min(span.from, end) : sum), 0) / (machines * end);
  const together = machines > 1;
  const line = !together ? 0 : world.way === 'ring' ? (2 * (machines - 1) * world.bytes) / machines : machines * world.bytes;
  const one = world.compute * (1 + world.straggling);
  return {
    step: end / steps,
    speedup: one / (end / steps),
    computing: time('compute'),
    communicating: time('send'),
    stale: updates.reduce((sum, { stale }) => sum + stale, 0) / updates.length,
    line,
  };
}
