// The journal and the outbox: what was acknowledged is there again after a crash.

import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Journal } from '../src/journal.js';
import { Outbox } from '../src/outbox.js';

async function newFile(t) {
  const folder = await mkdtemp(join(tmpdir(), 'journal-'));
  t.after(() => rm(folder, { recursive: true }));
  return join(folder, 'sub', 'records.ndjson');
}

test('appends that came together are in the file in order', async (t) => {
  const path = await newFile(t);
  const journal = await Journal.open(path);
  await Promise.all(Array.from({ length: 50 }, (_, n) => journal.append({ n })));
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).n),
    Array.from({ length: 50 }, (_, n) => n),
  );
  await journal.close();
});

test('a torn last line is dropped, and the next append does not join it', async (t) => {
  const path = await newFile(t);
  const before = await Journal.open(path);
  await before.append({ n: 1 });
  await before.close();
  await appendFile(path, '{"n":2');
  const seen = [];
  const journal = await Journal.open(path, (record) => seen.push(record.n));
  await journal.append({ n: 3 });
  await journal.close();
  assert.deepEqual(seen, [1, 3]);
  assert.equal(await readFile(path, 'utf8'), '{"n":1}\n{"n":3}\n');
});

test('a broken line in the middle is not passed over in silence', async (t) => {
  const path = await newFile(t);
  await (await Journal.open(path)).close();
  await writeFile(path, '{"n":1}\nnonsense\n{"n":2}\n');
  await assert.rejects(Journal.open(path), /line 2 is not JSON/);
});

test('a rewrite keeps what was appended before and after it', async (t) => {
  const path = await newFile(t);
  const live = [];
  const journal = await Journal.open(path, (record) => live.push(record));
  const first = journal.append({ n: 1 });
  const rewrite = journal.rewrite(() => live.map(({ n }) => ({ n: n * 10 })));
  const last = journal.append({ n: 2 });
  await Promise.all([first, rewrite, last]);
  await journal.close();
  assert.equal(await readFile(path, 'utf8'), '{"n":10}\n{"n":2}\n');
});

test('an outbox knows after a restart what waits and what was settled', async (t) => {
  const path = await newFile(t);
  const before = await Outbox.open(path);
  await Promise.all(['a', 'b', 'b', 'c'].map((id) => before.add(id, { id })));
  await before.addAll([
    ['d', { id: 'd' }],
    ['e', { id: 'e' }],
  ]);
  await before.settle(['a', 'd']);
  await before.close();
  const after = await Outbox.open(path);
  await after.add('a', { id: 'a' });
  assert.deepEqual(
    [...after.waiting()].map(({ id }) => id),
    ['b', 'c', 'e'],
  );
  await after.close();
});
