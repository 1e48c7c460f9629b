// Webhooks: registered at start, verified over the bytes that came, effective once, kept when nobody
// understands them.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { startAll, until, WEBHOOK_SECRET } from './stub.js';

const PATH = '/webhooks/linktree';
const OURS = 'http://127.0.0.1:1/webhooks/linktree';
const PUBLIC = { PUBLIC_URL: 'http://127.0.0.1:1' };

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
    assert.equal((await all.post(PATH, update('ann'), signed('m1', update('ann')))).status, 202);
    await all.get('/ann');
    assert.equal(reads(), expected);
  }
  assert.equal((await all.get(PATH, { method: 'HEAD' })).status, 204);
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
    'another time': { ...good, 'webhook-timestamp': `${Number(good['webhook-timestamp']) - 1}` },
    'upper case': { ...good, 'webhook-signature': good['webhook-signature'].toUpperCase() },
    empty: { ...good, 'webhook-signature': '' },
    unsigned: {},
  };
  for (const [what, headers] of Object.entries(wrong)) {
    assert.equal((await all.post(PATH, payload, headers)).status, 401, what);
  }
  assert.equal((await all.post(PATH, ` ${payload}`, good)).status, 401);
  const list = { ...good, 'webhook-signature': `v1,AAAA ${good['webhook-signature']}` };
  assert.equal((await all.post(PATH, payload, list)).status, 202);
});

test('a change that comes while the page is fetched has it fetched again', async (t) => {
  const all = await startAll(t);
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const head = { 'content-type': 'application/json', 'cache-control': 'max-age=60' };
  const late = async (response) => {
    await held;
    response.writeHead(200, head).end(JSON.stringify({ version: 'v1' }));
  };
  all.linktree.answer = ({ path }) => (path.endsWith('/profiles/ann') ? late : null);
  const first = all.get('/ann');
  await until(() => all.linktree.to('/profiles/ann').length);
  await all.post(PATH, update('ann'), signed('m1', update('ann')));
  release();
  assert.equal((await first).status, 200);
  await all.get('/ann');
  assert.equal(
    all.linktree.to('/profiles/ann').filter(({ path }) => !path.includes('links')).length,
    2,
  );
});

test('a webhook secret that was rotated is read again, but not for every forgery', async (t) => {
  const all = await startAll(t, { TIME_SCALE: '1' });
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  all.linktree.webhookSecret = secret;
  all.linktree.key = 'lt_live_2';
  const payload = update('ann');
  assert.equal((await all.post(PATH, payload, signed('m1', payload, { secret }))).status, 202);
  for (let n = 0; n < 10; n++) {
    assert.equal((await all.post(PATH, payload, signed(`f${n}`, payload))).status, 401);
  }
  assert.ok(all.linktree.vaultReads <= 3);
});

test('the scheme with timestamp and lower hex is verified, too', async (t) => {
  const all = await startAll(t, { WEBHOOK_SCHEME: 'linktree-assumed' });
  const send = async (payload, { age = 0, change = (mac) => mac } = {}) => {
    const timestamp = String(Math.floor(Date.now() / 1000) - age);
    const mac = createHmac('sha256', WEBHOOK_SECRET)
      .update(`${timestamp}.${payload}`)
      .digest('hex');
    const headers = {
      'x-linktree-timestamp': timestamp,
      'x-linktree-signature': change(mac),
      'x-linktree-delivery-id': 'd1',
    };
    return (await all.post(PATH, payload, headers)).status;
  };
  assert.equal(await send(update('ann')), 202);
  assert.equal(await send(update('bob'), { change: (mac) => `${'0'.repeat(64)}, ${mac}` }), 202);
  assert.equal(await send(update('ann'), { age: 310 }), 401);
  assert.equal(await send(update('ann'), { change: (mac) => mac.slice(0, 20) }), 401);
  assert.equal(await send(update('ann'), { change: (mac) => mac.toUpperCase() }), 401);
  assert.equal((await all.post(PATH, update('ann'), signed('m1', update('ann')))).status, 401);
});

test('a delivery that is not understood is kept with its payload, also over a restart', async (t) => {
  const all = await startAll(t);
  const send = async (id, bytes) => {
    const at = String(Math.floor(Date.now() / 1000));
    const key = Buffer.from(WEBHOOK_SECRET.slice(6), 'base64');
    const mac = createHmac('sha256', key).update(`${id}.${at}.`).update(bytes).digest('base64');
    const headers = { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': `v1,${mac}` };
    const answer = await all.get(PATH, { method: 'POST', headers, body: bytes });
    assert.equal(answer.status, 202);
  };
  const texts = [
    '{ "type":"profile.updated" }',
    'no json',
    '{"type":"link.clicked","data":{"handle":7}}',
    `{"type":"profile.updated","pad":"${'x'.repeat(32 << 10)}"}`,
  ];
  for (const [n, text] of texts.entries()) await send(`t${n}`, Buffer.from(text));
  await send('t0', Buffer.from(texts[0]));
  const bytes = Buffer.from([0x7b, 0xff, 0x00, 0x7d]);
  await send('b', bytes);
  await send('unknown', Buffer.from('{"type":"link.sneezed"}'));
  await all.restart();
  const file = await readFile(join(all.dataDir, 'dead-letters.ndjson'), 'utf8');
  const kept = file.trim().split('\n').map(JSON.parse);
  assert.deepEqual(
    kept.slice(0, 4).map(({ payload }) => payload),
    texts,
  );
  assert.deepEqual(
    kept.slice(4).map((one) => one.payload_base64),
    [bytes.toString('base64')],
  );
});

const hooks = (all, method) =>
  all.linktree.to('/webhooks').filter((call) => call.method === method);

test('webhooks are registered at start, and after a failure again', async (t) => {
  const all = await startAll(t, { ...PUBLIC, TIME_SCALE: '100' });
  let failures = 2;
  all.linktree.answer = ({ method, path }) =>
    path.endsWith('/webhooks') && method === 'POST' && failures-- > 0 ? { status: 503 } : null;
  await until(() => hooks(all, 'POST').length === 3);
  for (const { body } of hooks(all, 'POST')) {
    assert.equal(body.url, OURS);
    assert.ok(body.events.includes('link.clicked'));
  }
});

test('what is registered already is not registered again, unless it was ended', async (t) => {
  const all = await startAll(t, PUBLIC);
  const events = ['profile.updated', 'link.updated', 'link.clicked'];
  let active = true;
  all.linktree.answer = ({ method, path }) =>
    path.endsWith('/webhooks') && method === 'GET'
      ? { json: { data: [{ url: 'http://b.example/' }, { url: OURS, events, active }] } }
      : null;
  await until(() => hooks(all, 'GET').length === 1);
  await all.restart();
  await until(() => hooks(all, 'GET').length === 2);
  active = false;
  await all.restart();
  await until(() => hooks(all, 'POST').length === 1);
  assert.equal(hooks(all, 'GET').length, 3);
});

test('for want of a scope it waits for another key', async (t) => {
  const all = await startAll(t, { ...PUBLIC, TIME_SCALE: '100' });
  all.linktree.answer = ({ path, headers }) =>
    path.endsWith('/webhooks') && headers.authorization.endsWith('_1') ? { status: 403 } : null;
  await until(() => hooks(all, 'GET').length === 1 && all.linktree.to('/me').length === 1);
  all.linktree.key = 'lt_live_2';
  await until(() => hooks(all, 'POST').length === 1);
  assert.ok(hooks(all, 'GET').length <= 3);
});
