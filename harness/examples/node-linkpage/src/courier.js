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
  // for company, and `keyRestMs` how long the lane rests when the key is refused, in ms. Where there is
  // `subjectOf(item)`, the last item of a subject is all that counts, and older ones are dropped.
  constructor(outbox, linktree, options) {
    this.#outbox = outbox;
    this.#linktree = linktree;
    const { lane, batch, pace, send, keepRefused, keyRestMs, subjectOf, log } = options;
    this.#options = { lane, batch, pace, send, keepRefused, keyRestMs, subjectOf, log };
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
    if (this.#options.subjectOf) await this.#dropOlder();
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

  // Nothing is on its way now, so whatever is dropped here is not overtaken by itself either.
  async #dropOlder() {
    const newest = new Map();
    const older = [];
    for (const { id, item } of this.#outbox.waiting()) {
      const subject = this.#options.subjectOf(item);
      if (newest.has(subject)) older.push(newest.get(subject));
      newest.set(subject, id);
    }
    await this.#outbox.settle(older);
    for (const id of older) this.#deferred.delete(id);
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
    const first = this.#linktree.backoff();
    const waits = new Map();
    for (const { id, item } of items) {
      const status = statuses.get(id);
      if (status >= 200 && status < 300) {
        settled.push(id);
      } else if (isRefusal(status)) {
        await this.#options.keepRefused(item, status);
        settled.push(id);
      } else if (!failure) {
        // The call as a whole succeeded, but not for this item: it alone backs off, beside those that
        // share its fate, so that they go in one call again.
        const before = this.#deferred.get(id)?.backoff ?? first;
        if (!waits.has(before)) waits.set(before, before.next());
        const backoff = waits.get(before);
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
    if (failure?.isAuth) return this.#awaitKey(failure);
    if (failure) {
      this.#failure = (this.#failure ?? this.#linktree.backoff()).next();
      return this.#sleep(this.#failure.duration);
    }
    this.#failure = null;
    // A full batch tells of a backlog, which is not made shorter by waiting for company.
    const isBacklog = items.length === this.#options.batch || this.#alone > 0;
    if (!isBacklog) return this.#sleep(this.#options.pace());
  }

  // A key that Linktree will not have now it will not have in a second either: it takes another one, or
  // somebody who grants a scope.
  async #awaitKey({ secretsVersion }) {
    const until = performance.now() + this.#options.keyRestMs;
    while (this.#linktree.secretsVersion === secretsVersion) {
      const left = until - performance.now();
      if (left <= 0) return;
      await this.#rest(left);
    }
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
