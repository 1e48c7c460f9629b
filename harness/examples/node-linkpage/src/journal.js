// An append-only file of JSON lines that survives a crash: whoever waits for an append knows that
// it is on disk. One write and one fsync carry all appends that came meanwhile.

import { constants } from 'node:fs';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

const { O_CREAT, O_RDWR } = constants;

export class Journal {
  #path;
  #file;
  #apply;
  #size = 0;
  #lines = 0;
  #isTorn = false;
  #waiting = [];
  #isWriting = false;
  #written = null; // settles when the last group that was begun is written

  // Opens or creates the file, and applies every record in it, as later every durable append.
  static async open(path, apply = () => {}) {
    const journal = new Journal();
    journal.#path = path;
    journal.#apply = apply;
    await mkdir(dirname(path), { recursive: true });
    journal.#file = await open(path, O_RDWR | O_CREAT, 0o600);
    await syncFolder(path);
    try {
      await journal.#replay();
    } catch (error) {
      await journal.#file.close();
      throw error;
    }
    return journal;
  }

  // Lines in the file.
  get lines() {
    return this.#lines;
  }

  // Resolves once the record is on disk and applied.
  append(record) {
    return this.#enqueue({ line: `${JSON.stringify(record)}\n`, record });
  }

  // Replaces the file by what `snapshot()` returns at its turn.
  rewrite(snapshot) {
    return this.#enqueue({ snapshot });
  }

  async close() {
    await this.#written;
    await this.#file.close();
  }

  #enqueue(entry) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...entry, resolve, reject });
      if (!this.#isWriting) this.#written = this.#work();
    });
  }

  async #work() {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const group = this.#nextGroup();
      try {
        if (group[0].snapshot) {
          await this.#replace(group[0].snapshot().map((record) => `${JSON.stringify(record)}\n`));
        } else {
          await this.#write(group.map((entry) => entry.line));
          for (const { record } of group) this.#apply(record);
        }
        for (const entry of group) entry.resolve();
      } catch (error) {
        for (const entry of group) entry.reject(error);
      }
    }
    this.#isWriting = false;
  }

  // All appends up to the next rewrite, or that rewrite alone.
  #nextGroup() {
    const rewrite = this.#waiting.findIndex((entry) => entry.snapshot);
    return this.#waiting.splice(0, rewrite < 0 ? this.#waiting.length : Math.max(1, rewrite));
  }

  async #write(lines) {
    const bytes = Buffer.from(lines.join(''));
    // After a failed write or fsync nobody knows what the file holds behind the last good line.
    if (this.#isTorn) await this.#file.truncate(this.#size);
    this.#isTorn = true;
    await writeAll(this.#file, bytes, this.#size);
    await this.#file.datasync();
    this.#isTorn = false;
    this.#size += bytes.length;
    this.#lines += lines.length;
  }

  async #replace(lines) {
    const bytes = Buffer.from(lines.join(''));
    const next = await open(`${this.#path}.next`, 'w+');
    try {
      await writeAll(next, bytes, 0);
      await next.datasync();
      await rename(`${this.#path}.next`, this.#path);
    } catch (error) {
      await next.close();
      throw error;
    }
    await this.#file.close();
    this.#file = next;
    this.#size = bytes.length;
    this.#lines = lines.length;
    this.#isTorn = false;
    await syncFolder(this.#path);
  }

  async #replay() {
    const bytes = await readFile(this.#path);
    // A last line without its end was never acknowledged: the process died while writing it.
    this.#size = bytes.lastIndexOf('\n') + 1;
    this.#isTorn = this.#size < bytes.length;
    const lines = bytes.toString('utf8', 0, this.#size).split('\n');
    lines.pop();
    for (const line of lines) {
      this.#lines += 1;
      let record;
      try {
        record = JSON.parse(line);
      } catch {
        throw new Error(`failed to read ${this.#path}: line ${this.#lines} is not JSON`);
      }
      this.#apply(record);
    }
  }
}

async function writeAll(file, bytes, position) {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

// A new name is durable once its folder is.
async function syncFolder(path) {
  const folder = await open(dirname(path), 'r');
  await folder.sync().finally(() => folder.close());
}
