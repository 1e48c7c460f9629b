// The API key: replaced when it is rotated, by everybody and with few refusals; never by another
// environment's.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { click, startAll, until } from './stub.js';

// Linktree takes these keys and no other.
function accept(all, ...keys) {
  all.linktree.answer = ({ headers }) =>
    keys.some((key) => headers.authorization === `Bearer ${key}`) ? null : { status: 401 };
}

const refusals = (all, key) =>
  all.linktree.calls.filter(({ headers }) => headers.authorization === `Bearer ${key}`).length;

test('a key that was rotated is picked up before anybody refuses it', async (t) => {
  const all = await startAll(t, { TIME_SCALE: '500' });
  all.linktree.key = 'lt_live_2';
  await until(async () => {
    await all.get('/ann');
    return all.linktree.calls.at(-1).headers.authorization === 'Bearer lt_live_2';
  });
  // Pages and clicks share the key.
  all.linktree.calls.length = 0;
  await all.post('/api/clicks', click(1));
  await until(() => all.linktree.to('/clicks').length);
  assert.equal(refusals(all, 'lt_live_1'), 0);
});

test('whoever is refused has the vault asked again, and goes on with the new key', async (t) => {
  const all = await startAll(t, { TIME_SCALE: '1' });
  await until(() => all.linktree.to('/me').length);
  all.linktree.calls.length = 0;
  all.linktree.key = 'lt_live_2';
  accept(all, 'lt_live_2');
  // However soon after the last look; and whoever comes while the vault is asked waits for it.
  let release;
  const held = new Promise((resolve) => (release = resolve));
  all.linktree.vault = () => held;
  const first = all.get('/ann');
  await until(() => all.linktree.vaultReads === 2);
  const others = ['bob', 'cid', 'dan'].map((name) => all.get(`/${name}`));
  await all.post('/api/clicks', click(1));
  release(null);
  for (const answer of await Promise.all([first, ...others])) assert.equal(answer.status, 200);
  await until(() => all.linktree.to('/clicks').length);
  assert.deepEqual([refusals(all, 'lt_live_1'), all.linktree.vaultReads], [1, 2]);
});

test('all who are refused at once go on with the new key', async (t) => {
  const all = await startAll(t, { TIME_SCALE: '1' });
  await until(() => all.linktree.to('/me').length);
  let sent = 0;
  let release;
  const refused = new Promise((resolve) => (release = resolve));
  all.linktree.answer = ({ headers }) => {
    if (headers.authorization === 'Bearer lt_live_2') return null;
    if (++sent === 3) release();
    return (response) => refused.then(() => response.writeHead(401).end('{}'));
  };
  all.linktree.key = 'lt_live_2';
  const answers = await Promise.all(['ann', 'bob', 'cid'].map((name) => all.get(`/${name}`)));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200],
  );
  assert.deepEqual([sent, all.linktree.vaultReads], [3, 2]);
});

test('a key that is refused while the vault has no other one costs one attempt and no breaker', async (t) => {
  const all = await startAll(t, { TIME_SCALE: '1' });
  await until(() => all.linktree.to('/me').length);
  accept(all);
  for (const name of ['ann', 'bob', 'cid', 'dan', 'eve', 'fay']) {
    const answer = await all.get(`/${name}`);
    assert.deepEqual([answer.status, await answer.json()], [503, { error: 'status' }]);
  }
  assert.equal(all.linktree.to('/profiles').length, 6);
  assert.match(await (await all.get('/metrics')).text(), /linktree_circuit_state 0/);
});

test('a click whose key is refused waits, and goes with the next key', async (t) => {
  const all = await startAll(t, { TIME_SCALE: '20' });
  accept(all, 'lt_live_2');
  await all.post('/api/clicks', click(1));
  await until(() => all.linktree.to('/clicks').length);
  assert.equal(all.linktree.to('/clicks').length, 1);
  all.linktree.key = 'lt_live_2';
  await until(() => all.linktree.to('/clicks').length === 2);
  await until(async () => /click_queue_depth 0/.test(await (await all.get('/metrics')).text()));
});

test('while the vault is down the last good key stays, and no other place is looked at', async (t) => {
  const all = await startAll(t, { TIME_SCALE: '500' });
  const paths = new Set();
  for (const answer of [{ status: 503 }, { status: 404 }, { json: {} }, { json: [] }]) {
    all.linktree.vault = (path) => {
      paths.add(path);
      return answer;
    };
    const before = all.linktree.vaultReads;
    await until(() => all.linktree.vaultReads > before + 1);
    assert.equal((await all.get('/ann')).status, 200);
  }
  assert.deepEqual([...paths], ['/v1/secret/data/linktree']);
  assert.equal(refusals(all, 'lt_live_1'), all.linktree.calls.length);
});

test('a key of the other environment is never sent', async (t) => {
  const all = await startAll(t, { TIME_SCALE: '500' });
  all.linktree.key = 'lt_test_1';
  await until(() => all.linktree.vaultReads > 3);
  await all.get('/ann');
  assert.equal(refusals(all, 'lt_test_1'), 0);
  const test = await startAll(t, { LINKTREE_ENVIRONMENT: 'test', LINKTREE_KEY: 'lt_test_1' });
  assert.equal((await test.get('/ann')).status, 200);
  assert.equal(refusals(test, 'lt_test_1'), test.linktree.calls.length);
});

test('the age is that of the key in use', async (t) => {
  const all = await startAll(t, { TIME_SCALE: '100' });
  all.linktree.answer = ({ path, headers }) => {
    const days = headers.authorization.endsWith('_1') ? 91 : 1;
    const created_at = new Date(Date.now() - days * 86_400_000).toISOString();
    return path === '/v1/me' ? { json: { key: { created_at } } } : null;
  };
  const age = async () =>
    Math.round(
      /^linktree_api_key_age_seconds (\d+)/m.exec(await (await all.get('/metrics')).text())?.[1] /
        86_400,
    );
  await until(async () => (await age()) === 91);
  all.linktree.key = 'lt_live_2';
  await until(async () => (await age()) === 1);
  assert.equal(all.linktree.to('/me').length, 2);
});
