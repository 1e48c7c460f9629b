// Keeps the requests of any window under the cap: a sliding log of the times they were let go.
//
// A counter per minute or a bucket of tokens would let nearly two caps through around a boundary.
// Some of the cap is kept for clicks, so that a rush on the pages cannot hold them back. Linktree counts
// on while this process is started again, so the log is kept in a file.

import { mkdirSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export class SlidingLog {
  #sent = []; // { at, isClick }, oldest first
  #aside = 0; // slots set aside for calls to come
  #cap;
  #pagesCap;
  #spanMs;
  #file; // a descriptor; what the kernel was given survives a kill
  #unwritten = () => {};

  // Goes on with what the last process in this folder sent. `unwritten` learns of failed writes:
  // the cap still holds then, as long as this process lives.
  static keptIn(rate, folder, unwritten) {
    const log = new SlidingLog(rate);
    const path = join(folder, 'sent.log');
    mkdirSync(folder, { recursive: true });
    const wall = (at) => performance.timeOrigin + at;
    const now = performance.now();
    for (const line of readLines(path)) {
      // The last line may have been cut off by the end of its process.
      const [, ms, lane] = /^(\d+) ([pc])$/.exec(line) ?? [];
      if (ms && wall(now) - ms < log.#spanMs) {
        log.#sent.push({ at: Math.min(ms - performance.timeOrigin, now), isClick: lane === 'c' });
      }
    }
    log.#sent.sort((a, b) => a.at - b.at);
    // Written anew beside the old one: a process that ends here loses neither.
    writeFileSync(`${path}.new`, log.#sent.map(line).join(''));
    renameSync(`${path}.new`, path);
    log.#file = openSync(path, 'a', 0o600);
    log.#unwritten = unwritten;
    return log;
  }

  constructor({ cap, reservedForClicks, windowMs, guardMs }) {
    this.#cap = cap;
    this.#pagesCap = cap - reservedForClicks;
    // The guard is for requests that take unequally long to arrive.
    this.#spanMs = windowMs + guardMs;
  }

  // When so many slots are free: `now`, or later.
  freeAt(lane, now, slots = 1) {
    this.#forget(now);
    const others = lane === 'clicks' ? [] : this.#sent.filter((one) => !one.isClick);
    const free = (sent, cap) => {
      const over = sent.length + slots - cap;
      if (over <= 0) return now;
      // Slots may be set aside of which nothing was sent yet.
      return (sent[over - 1] ?? sent.at(-1) ?? { at: now }).at + this.#spanMs;
    };
    const all = free(this.#sent, this.#cap);
    return lane === 'clicks' ? all : Math.max(all, free(others, this.#pagesCap));
  }

  // Notes a request that goes now. Ask freeAt first, in the same turn of the event loop.
  take(lane, now) {
    const sent = { at: now, isClick: lane === 'clicks' };
    this.#sent.push(sent);
    if (this.#file === undefined) return;
    try {
      writeSync(this.#file, line(sent));
    } catch (error) {
      this.#unwritten(error);
    }
  }

  // Sets slots aside for calls to come, if they are free: { spent(), giveBack() }, or { freeAt }.
  setAside(lane, now, slots) {
    const freeAt = this.freeAt(lane, now, this.#aside + slots);
    if (freeAt > now) return { freeAt };
    this.#aside += slots;
    const give = (count) => {
      this.#aside -= count;
      slots -= count;
    };
    return { spent: () => give(Math.min(1, slots)), giveBack: () => give(slots) };
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

function line({ at, isClick }) {
  return `${Math.round(performance.timeOrigin + at)} ${isClick ? 'c' : 'p'}\n`;
}

function readLines(path) {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}
