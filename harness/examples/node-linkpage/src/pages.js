// Keeps pages by handle: fresh ones are shown at once, expired ones when asking fails or is slow.
//
// Visitors of one page share one flight to Linktree, which goes on when they leave.

import { LRUCache } from 'lru-cache';
import { fillPage } from './fill.js';
import { LinktreeError } from './linktree.js';

export class Pages {
  #linktree;
  #config;
  #retryBaseMs;
  #log;
  #pages;
  #unknown; // handles that Linktree does not know
  #cooling; // handles whose last flight failed
  #flights = new Map();

  constructor(linktree, config, { retryBaseMs, log }) {
    this.#linktree = linktree;
    this.#config = config;
    this.#retryBaseMs = retryBaseMs;
    this.#log = log;
    const max = config.capacity;
    this.#pages = new LRUCache({ max });
    this.#unknown = new LRUCache({ max, ttl: Math.ceil(config.unknownTtlMs) });
    this.#cooling = new LRUCache({ max, ttl: Math.ceil(retryBaseMs) });
  }

  // { page, result: hit | miss | stale, cacheStatus }, or { missing } or { failure }.
  async read(handle) {
    if (this.#unknown.has(handle)) return { missing: true };
    const now = performance.now();
    const cached = this.#pages.get(handle);
    const usable = cached && now < cached.usableUntil ? cached : null;
    if (cached && now < cached.freshUntil) return shown(cached, 'hit', 'hit');

    const obstacle = this.#obstacle(handle, usable);
    if (obstacle) return fallBack(usable, obstacle, `hit; detail=${reason(obstacle)}`);

    const isShared = this.#flights.has(handle);
    const flight = this.#board(handle, cached);
    const collapsed = isShared ? '; collapsed' : '';
    try {
      const wait = usable ? this.#config.revalidationWaitMs : this.#config.coldWaitMs;
      const page = await within(wait, flight);
      return shown(page, 'miss', `fwd=${cached ? 'stale' : 'miss'}; stored${collapsed}`);
    } catch (failure) {
      if (failure.status === 404) return { missing: true };
      if (failure.kind === 'barred') {
        return fallBack(usable, failure, `hit; detail=${reason(failure)}`);
      }
      return fallBack(usable, failure, `fwd=stale${collapsed}; detail=${reason(failure)}`);
    }
  }

  // A creator changed something: the next visitor has the page fetched again. What a flight brings
  // that is under way may be older than the change.
  expire(handle) {
    const page = this.#pages.peek(handle);
    if (page) this.#pages.set(handle, expired(page));
    const flight = this.#flights.get(handle);
    if (flight) flight.isOutdated = true;
    this.#unknown.delete(handle);
  }

  // The reason to answer from the shelf at once, if there is one.
  #obstacle(handle, usable) {
    const barrier = this.#linktree.barrier('pages');
    const isFlying = this.#flights.has(handle);
    // A slot is worth a short wait to a visitor who would get nothing otherwise.
    const isWorthWaiting = barrier?.reason === 'rate-limit' && (isFlying || !usable);
    if (barrier && !isWorthWaiting) return new LinktreeError('barred', { barrier });
    return isFlying ? null : (this.#cooling.get(handle) ?? null);
  }

  // Joins the flight for this handle, or starts one.
  #board(handle, known) {
    const current = this.#flights.get(handle);
    if (current) return current.page;
    const flight = { isOutdated: false, page: null };
    flight.page = fillPage(this.#linktree, handle, known, this.#log)
      .then((page) => {
        this.#pages.set(handle, flight.isOutdated ? expired(page) : page);
        return page;
      })
      .catch((error) => {
        // What is not even an error of the client tripped over an answer of an absurd shape.
        const failure = error instanceof LinktreeError ? error : new LinktreeError('malformed');
        if (failure.status === 404) {
          this.#pages.delete(handle);
          this.#unknown.set(handle, true);
        } else if (failure.kind !== 'barred') {
          // The next visitor's flight would else be a retry without any backoff.
          const ttl = Math.ceil(this.#retryBaseMs * (0.5 + Math.random() / 2));
          this.#cooling.set(handle, failure, { ttl });
        }
        throw failure;
      })
      .finally(() => this.#flights.delete(handle));
    // Nobody may be left to hear of its failure.
    flight.page.catch(() => {});
    this.#flights.set(handle, flight);
    return flight.page;
  }
}

function expired(page) {
  return { ...page, freshUntil: Math.min(page.freshUntil, performance.now()) };
}

function fallBack(usable, failure, cacheStatus) {
  return usable ? shown(usable, 'stale', cacheStatus) : { failure };
}

function shown(page, result, cacheStatus) {
  const now = performance.now();
  const ttl = Math.floor((page.freshUntil - now) / 1000);
  const age = Math.floor((now - page.validatedAt) / 1000);
  const [first, ...rest] = cacheStatus.split('; ');
  return { page, result, age, cacheStatus: ['linkpage', first, `ttl=${ttl}`, ...rest].join('; ') };
}

function reason(failure) {
  return failure.barrier?.reason ?? failure.kind;
}

async function within(ms, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new LinktreeError('timeout')), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
