// A camera's frames, for whatever reads them: each is read before the next is taken, and those that come meanwhile are dropped.

/** Hands over the video whenever `ready` and there is a frame, until it stops or is taken away. */
export function film(video: HTMLVideoElement, ready: () => boolean, take: () => void): void {
  const frame = () => {
    if (!video.isConnected || video.paused) return;
    if (ready() && video.videoWidth) take();
    requestAnimationFrame(frame);
  };
  frame();
}

/** A pause after which the pace is measured anew, in milliseconds. */
const PAUSE = 2000;

/** How many a second there are of something, smoothed. */
export class Pace {
  #last = -Infinity;
  #pace = 0;

  /** One more; says how many a second there are now, 0 for the first and the first after a pause. */
  beat(): number {
    const time = performance.now();
    const interval = time - this.#last;
    this.#last = time;
    const now = 1000 / interval;
    this.#pace = interval > PAUSE ? 0 : this.#pace ? 0.85 * this.#pace + 0.15 * now : now;
    return this.#pace;
  }
}
