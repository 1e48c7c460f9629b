// What was accepted and must still reach Linktree, in order; it survives a crash.

import { EventEmitter } from 'node:events';
import { LRUCache } from 'lru-cache';
import { Journal } from './journal.js';

// Ids of settled items that are remembered, to recognise an item that is sent in again.
const REMEMBERED = 50_000;
const COMPACT_FROM_LINES = 2 * REMEMBERED;

export class Outbox extends EventEmitter {
  #journal;
  #waiting = new Map(); // id → { id, at, item }, oldest first
  #arriving = new Map(); // id → promise
  #settled = new LRUCache({ max: REMEMBERED });

  static async open(path) {
    const outbox = new Outbox();
    outbox.#journal = await Journal.open(path, (record) => outbox.#apply(record));
    return outbox;
  }

  // Takes an item in; when this resolves, it is on disk. The same id again changes nothing.
  async add(id, item) {
    if (this.#waiting.has(id) || this.#settled.has(id)) return;
    let arrival = this.#arriving.get(id);
    if (!arrival) {
      arrival = this.#journal
        .append({ id, at: Date.now(), item })
        .finally(() => this.#arriving.delete(id));
      this.#arriving.set(id, arrival);
    }
    await arrival;
    this.emit('arrival');
  }

  // Takes new items in, all of them or none.
  async addAll(items) {
    const at = Date.now();
    await this.#journal.append({ entries: items.map(([id, item]) => ({ id, at, item })) });
    this.emit('arrival');
  }

  // Takes items out.
  async settle(ids) {
    if (ids.length > 0) await this.#journal.append({ settled: ids });
    if (this.#journal.lines > COMPACT_FROM_LINES + 2 * this.#waiting.size) {
      await this.#journal.rewrite(() => [
        { settled: [...this.#settled.rkeys()] },
        ...this.#waiting.values(),
      ]);
    }
  }

  // Waiting items, oldest first.
  waiting() {
    return this.#waiting.values();
  }

  get depth() {
    return this.#waiting.size;
  }

  // Seconds since the oldest waiting item was accepted.
  get lagSeconds() {
    const [oldest] = this.#waiting.values();
    return oldest ? Math.max(0, (Date.now() - oldest.at) / 1000) : 0;
  }

  close() {
    return this.#journal.close();
  }

  #apply(record) {
    const { settled = [], entries = record.settled ? [] : [record] } = record;
    for (const entry of entries) this.#waiting.set(entry.id, entry);
    for (const id of settled) {
      this.#waiting.delete(id);
      this.#settled.set(id, true);
    }
  }
}
