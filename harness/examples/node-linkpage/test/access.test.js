// Who may do what: webhooks by signature, analytics by session, browsers by origin.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { startAll, until, WEBHOOK_SECRET } from './stub.js';

function signed(id, payload, { at = new Date(), secret = WEBHOOK_SECRET } = {}) {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, at, payload),
  };
}

const update = (handle) =>
  JSON.stringify({
    id: 'm1',
    type: 'profile.updated',
    created_at: '2026-01-01T00:00:00Z',
    data: { handle },
  });

test('a genuine delivery has its effect once', async (t) => {
  const all = await startAll(t);
  all.linktree.answer = ({ path }) =>
    path.endsWith('/profiles/ann')
      ? { headers: { 'cache-control': 'max-age=60' }, json: { version: 'v1' } }
      : null;
  const reads = () => all.linktree.to('/profiles/ann').length;
  await all.get('/ann');
  await all.get('/ann');
  assert.equal(reads(), 2);
  for (const expected of [4, 4]) {
    assert.equal(
      (await all.post('/webhooks/linktree', update('ann'), signed('m1', update('ann')))).status,
      202,
    );
    await all.get('/ann');
    assert.equal(reads(), expected);
  }
  assert.equal((await all.get('/webhooks/linktree', { method: 'HEAD' })).status, 204);
});

test('a forged, altered, stale or unsigned delivery is refused', async (t) => {
  const all = await startAll(t);
  const payload = update('ann');
  const good = signed('m1', payload);
  const [, mac] = good['webhook-signature'].split(',');
  const seconds = (n) => new Date(Date.now() + n * 1000);
  const wrong = {
    'another id': { ...good, 'webhook-id': 'm2' },
    'another secret': signed('m1', payload, {
      secret: `whsec_${Buffer.alloc(32).toString('base64')}`,
    }),
    'too old': signed('m1', payload, { at: seconds(-310) }),
    'too new': signed('m1', payload, { at: seconds(310) }),
    'another version': { ...good, 'webhook-signature': `v1a,${mac}` },
    'cut off': { ...good, 'webhook-signature': `v1,${mac.slice(0, 20)}` },
    empty: { ...good, 'webhook-signature': '' },
    unsigned: {},
  };
  for (const [what, headers] of Object.entries(wrong)) {
    assert.equal((await all.post('/webhooks/linktree', payload, headers)).status, 401, what);
  }
  assert.equal((await all.post('/webhooks/linktree', ` ${payload}`, good)).status, 401);
  const list = { ...good, 'webhook-signature': `v1,AAAA ${good['webhook-signature']}` };
  assert.equal((await all.post('/webhooks/linktree', payload, list)).status, 202);
});

test('a delivery that is not understood is kept with its payload', async (t) => {
  const all = await startAll(t);
  for (const payload of ['{"type":"profile.updated"}', 'no json']) {
    assert.equal(
      (await all.post('/webhooks/linktree', payload, signed(payload.slice(0, 2), payload))).status,
      202,
    );
  }
  const kept = (await readFile(join(all.dataDir, 'dead-letters.ndjson'), 'utf8'))
    .trim()
    .split('\n');
  assert.deepEqual(
    kept.map((line) => JSON.parse(line).payload),
    ['{"type":"profile.updated"}', 'no json'],
  );
});

test('webhooks are registered at start', async (t) => {
  const all = await startAll(t, { PUBLIC_URL: 'http://127.0.0.1:1' });
  await until(() => all.linktree.to('/webhooks').length);
  assert.equal(all.linktree.to('/webhooks')[0].body.url, 'http://127.0.0.1:1/webhooks/linktree');
});

test('a registration that is refused for want of a scope is not repeated', async (t) => {
  const all = await startAll(t, { PUBLIC_URL: 'http://127.0.0.1:1', TIME_SCALE: '100' });
  all.linktree.answer = ({ path }) => (path.endsWith('/webhooks') ? { status: 403, json: {} } : null);
  await until(() => all.linktree.to('/webhooks').length === 1 && all.linktree.to('/me').length === 1);
  await all.restart();
  await until(() => all.linktree.to('/webhooks').length > 1 && all.linktree.to('/me').length === 2);
  // A rotation is noticed within 300 ms: many times what a repetition would wait.
  all.linktree.key = 'lt_live_2';
  await until(() => all.linktree.to('/me').length > 2);
  assert.equal(all.linktree.to('/webhooks').length, 2);
});

test('a creator sees own analytics only', async (t) => {
  const all = await startAll(t);
  all.linktree.answer = ({ path }) => (path.includes('/analytics') ? { json: { days: [] } } : null);
  const token = (handle, secret = 'session-secret') =>
    `Bearer ${handle}.${createHmac('sha256', secret).update(handle).digest('hex')}`;
  const check = async (authorization, status) => {
    const headers = authorization ? { authorization } : {};
    assert.equal((await all.get('/api/analytics/a.nn', { headers })).status, status, authorization);
  };
  await check(token('a.nn'), 200);
  await check(token('bob'), 403);
  await check(token('a.nn', 'another'), 401);
  await check(undefined, 401);
  assert.equal(all.linktree.to('/analytics').length, 1);
});

test('only known front ends are let in', async (t) => {
  const all = await startAll(t);
  const allowed = async (origin, method) => {
    const headers = { origin, 'access-control-request-method': 'POST' };
    const answer = await all.get('/api/clicks', { method, headers });
    assert.match(answer.headers.get('vary') ?? '', /Origin/i);
    return answer.headers.get('access-control-allow-origin');
  };
  for (const method of ['OPTIONS', 'POST']) {
    assert.equal(await allowed('https://app.example', method), 'https://app.example');
    for (const origin of [
      'https://evil.com',
      'https://app.example.evil.com',
      'http://app.example',
      'null',
    ]) {
      assert.equal(await allowed(origin, method), null, origin);
    }
  }
});
