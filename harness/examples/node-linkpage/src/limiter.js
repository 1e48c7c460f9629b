// Keeps the requests of any window under the cap: a sliding log of the times they were let go.
//
// A counter per minute or a bucket of tokens would let nearly two caps through around a boundary.
// Some of the cap is kept for clicks, so that a rush on the pages cannot hold them back.

export class SlidingLog {
  #sent = []; // { at, isClick }, oldest first
  #cap;
  #pagesCap;
  #spanMs;

  constructor({ cap, reservedForClicks, windowMs, guardMs }) {
    this.#cap = cap;
    this.#pagesCap = cap - reservedForClicks;
    // The guard is for requests that take unequally long to arrive.
    this.#spanMs = windowMs + guardMs;
  }

  // When a slot is free: `now`, or later.
  freeAt(lane, now) {
    this.#forget(now);
    let free = now;
    if (this.#sent.length >= this.#cap) free = this.#sent.at(-this.#cap).at + this.#spanMs;
    if (lane !== 'clicks') {
      const others = this.#sent.filter((one) => !one.isClick);
      if (others.length >= this.#pagesCap) {
        free = Math.max(free, others.at(-this.#pagesCap).at + this.#spanMs);
      }
    }
    return free;
  }

  // Notes a request that goes now. Ask freeAt first, in the same turn of the event loop.
  take(lane, now) {
    this.#sent.push({ at: now, isClick: lane === 'clicks' });
  }

  // Requests in the current window, of one lane or of all.
  used(now, lane) {
    this.#forget(now);
    return lane === 'clicks' ? this.#sent.filter((one) => one.isClick).length : this.#sent.length;
  }

  #forget(now) {
    while (this.#sent.length > 0 && this.#sent[0].at + this.#spanMs <= now) this.#sent.shift();
  }
}
