// Clicks: durable before 202, delivered once, with the same ids on every attempt.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { click, startAll, until } from './stub.js';

const delivered = (all) =>
  all.linktree
    .to('/clicks')
    .flatMap(({ body }) => body.events ?? [body])
    .map((one) => one.event_id);
const isEmpty = async (all) =>
  /linktree_click_queue_depth 0/.test(await (await all.get('/metrics')).text());

test('a click is on disk before 202, without the visitor', async (t) => {
  const all = await startAll(t, { TIME_SCALE: '1' });
  all.linktree.answer = () => ({ status: 503 });
  const visitor = { ip: '192.0.2.1', user_agent: 'x' };
  const answer = await all.post('/api/clicks', { ...click(1), visitor });
  assert.equal(answer.status, 202);
  const file = await readFile(join(all.dataDir, 'clicks.ndjson'), 'utf8');
  assert.ok(file.includes('"e1"') && !file.includes('192.0.2.1'));
});

test('clicks survive an outage and a restart, and arrive once', async (t) => {
  const all = await startAll(t);
  all.linktree.answer = ({ path }) => (path.includes('/clicks') ? { status: 500 } : null);
  const some = Array.from({ length: 150 }, (_, n) => click(n));
  const answers = await Promise.all(some.map((one) => all.post('/api/clicks', one)));
  assert.ok(answers.every(({ status }) => status === 202));
  await all.restart();
  all.linktree.answer = () => null;
  all.linktree.calls.length = 0;
  await until(() => isEmpty(all));
  assert.deepEqual(delivered(all).sort(), some.map((one) => one.event_id).sort());
  assert.ok(all.linktree.to('/clicks').every(({ body }) => (body.events?.length ?? 1) <= 100));
});

test('a single click keeps its key over all attempts', async (t) => {
  const all = await startAll(t);
  let failures = 3;
  all.linktree.answer = ({ path }) =>
    path.endsWith('/clicks') && failures-- > 0 ? { status: 500 } : null;
  await all.post('/api/clicks', click(1));
  await until(() => isEmpty(all));
  const keys = all.linktree.to('/clicks').map(({ headers }) => headers['idempotency-key']);
  assert.deepEqual(keys, ['e1', 'e1', 'e1', 'e1']);
});

test('a refused click is kept, and takes no other with it', async (t) => {
  const all = await startAll(t);
  all.linktree.answer = ({ path, body }) => {
    if (path.endsWith('/clicks/batch')) return { status: 400 };
    return path.endsWith('/clicks') && body.event_id === 'e2' ? { status: 422 } : null;
  };
  await Promise.all([1, 2, 3].map((n) => all.post('/api/clicks', click(n))));
  await until(() => isEmpty(all));
  const singles = all.linktree.to('/clicks').filter(({ path }) => !path.endsWith('/batch'));
  assert.deepEqual(singles.map(({ body }) => body.event_id).sort(), ['e1', 'e2', 'e3']);
  const kept = JSON.parse(await readFile(join(all.dataDir, 'dead-letters.ndjson'), 'utf8'));
  assert.deepEqual([kept.status, kept.item.event_id], [422, 'e2']);
});

test('in a batch only the clicks that failed are sent again', async (t) => {
  const all = await startAll(t);
  let isFirst = true;
  all.linktree.answer = ({ path, body }) => {
    if (!path.endsWith('/clicks/batch') || !isFirst) return null;
    isFirst = false;
    const status = (id) => (id === 'e2' ? 503 : 202);
    const results = body.events.map(({ event_id: id }) => ({ event_id: id, status: status(id) }));
    return { json: { results } };
  };
  await Promise.all([1, 2, 3].map((n) => all.post('/api/clicks', click(n))));
  await until(() => isEmpty(all));
  assert.deepEqual(delivered(all).sort(), ['e1', 'e2', 'e2', 'e3']);
});

test('what is no click is refused', async (t) => {
  const all = await startAll(t);
  for (const wrong of [
    { event_id: '' },
    { event_id: 'a\r\nb' },
    { handle: 'UPPER' },
    { link_id: 'x'.repeat(129) },
    { occurred_at: 'yesterday' },
  ]) {
    const answer = await all.post('/api/clicks', { ...click(1), ...wrong });
    assert.equal(answer.status, 400, JSON.stringify(wrong));
  }
  assert.equal((await all.post('/api/clicks', '{"event_id":')).status, 400);
});
