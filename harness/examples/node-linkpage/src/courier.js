// Delivers an outbox in order, for as long as it takes, with the same ids on every attempt.
//
// An item leaves the outbox after a definite 2xx (whole body read) or a definite refusal, which is
// kept for a person. Anything else leaves it where it is: its id makes a repetition harmless.

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRefusal, LinktreeError } from './linktree.js';

// How long one rest before a closed barrier may be: it may open earlier than it looks now.
const LONGEST_REST_MS = 100;

export class Courier {
  #outbox;
  #linktree;
  #options;
  #stopping = new AbortController();
  #deferred = new Map(); // id → { backoff, until }
  #alone = 0; // items that go one by one, since a batch with them was refused whole
  #failure = null; // backoff of failed requests
  #done = null;

  // `send(items)` makes one call of at most `batch` items and resolves to a Map of statuses by id;
  // `keepRefused(item, status)` resolves once a refused item is kept; `pace()` is how long to wait
  // for company, in ms.
  constructor(outbox, linktree, { lane, batch, pace, send, keepRefused, log }) {
    this.#outbox = outbox;
    this.#linktree = linktree;
    this.#options = { lane, batch, pace, send, keepRefused, log };
  }

  start() {
    this.#done = this.#work();
  }

  // A call on its way is finished first.
  stop() {
    this.#stopping.abort();
    return this.#done;
  }

  async #work() {
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#step();
      } catch (error) {
        if (error.name === 'AbortError') continue;
        // The message of an error that nobody expected may quote anything.
        this.#options.log.error({ code: error.code, reason: error.name }, 'deliveries pause');
        await this.#rest(1_000).catch(() => {});
      }
    }
  }

  async #step() {
    const items = this.#due();
    if (items.length === 0) return this.#idle();
    // Looked at first, so that waiting does not count as calls that were turned away.
    const barrier = this.#linktree.barrier(this.#options.lane);
    if (barrier) return this.#rest(barrier.until - performance.now());
    let statuses = new Map();
    let failure = null;
    try {
      statuses = await this.#options.send(items.map(({ item }) => item));
    } catch (error) {
      if (!(error instanceof LinktreeError)) throw error;
      failure = error;
    }
    if (failure?.kind === 'barred') return this.#rest(failure.barrier.until - performance.now());
    if (failure?.isRefusal && items.length === 1) statuses.set(items[0].id, failure.status);
    await this.#settle(items, statuses, failure);
    return this.#pause(items, failure);
  }

  // Items that may go now: as many as fit into one call.
  #due() {
    const now = performance.now();
    const most = this.#alone > 0 ? 1 : this.#options.batch;
    const items = [];
    for (const entry of this.#outbox.waiting()) {
      if (items.length === most) break;
      const until = this.#deferred.get(entry.id)?.until ?? 0;
      if (until <= now) items.push(entry);
    }
    return items;
  }

  async #settle(items, statuses, failure) {
    const settled = [];
    for (const { id, item } of items) {
      const status = statuses.get(id);
      if (status >= 200 && status < 300) {
        settled.push(id);
      } else if (isRefusal(status)) {
        await this.#options.keepRefused(item, status);
        settled.push(id);
      } else if (!failure) {
        // The call as a whole succeeded, but not for this item: it alone backs off.
        const backoff = (this.#deferred.get(id)?.backoff ?? this.#linktree.backoff()).next();
        this.#deferred.set(id, { backoff, until: performance.now() + backoff.duration });
      }
    }
    await this.#outbox.settle(settled);
    for (const id of settled) this.#deferred.delete(id);
  }

  #pause(items, failure) {
    if (failure?.isRefusal) {
      // One bad item must not take the others with it.
      this.#alone = items.length > 1 ? items.length : Math.max(0, this.#alone - 1);
      return;
    }
    this.#alone = Math.max(0, this.#alone - 1);
    if (failure) {
      this.#failure = (this.#failure ?? this.#linktree.backoff()).next();
      return this.#sleep(this.#failure.duration);
    }
    this.#failure = null;
    // A full batch tells of a backlog, which is not made shorter by waiting for company.
    const isBacklog = items.length === this.#options.batch || this.#alone > 0;
    if (!isBacklog) return this.#sleep(this.#options.pace());
  }

  // Waits for an arrival, or for time to pass for those that were deferred.
  async #idle() {
    if (this.#outbox.depth > 0) return this.#rest(20);
    await once(this.#outbox, 'arrival', { signal: this.#stopping.signal });
    return this.#sleep(this.#options.pace());
  }

  #rest(ms) {
    return this.#sleep(Math.min(Math.max(ms, 5), LONGEST_REST_MS));
  }

  #sleep(ms) {
    return sleep(ms, undefined, { signal: this.#stopping.signal });
  }
}
