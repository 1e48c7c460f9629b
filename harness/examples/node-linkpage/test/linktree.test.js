// The client: what it sends, when it waits, when it gives up.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { click, startAll, until } from './stub.js';

const page = (name) => `/v1/profiles/${name}`;
const fail = (status, headers) => () => ({ status, headers });

test('the key travels as a bearer only, and JSON is asked for and declared', async (t) => {
  const all = await startAll(t);
  await all.get('/ann');
  await all.post('/api/clicks', click(1));
  await until(() => all.linktree.to('/clicks').length);
  for (const { path, headers, body } of all.linktree.calls) {
    assert.equal(headers.authorization, 'Bearer lt_live_1');
    assert.equal(headers.accept, 'application/json');
    assert.ok(path.startsWith('/v1/') && !path.includes('lt_live'));
    if (body) assert.equal(headers['content-type'], 'application/json');
    assert.ok(!JSON.stringify(body ?? '').includes('lt_live'));
  }
});

test('a failed read is tried five times at the most', async (t) => {
  const all = await startAll(t, { BREAKER: 'off' });
  all.linktree.answer = ({ path }) => (path.startsWith(page('ann')) ? fail(500)() : null);
  const answer = await all.get('/ann');
  assert.equal(answer.status, 503);
  assert.equal(all.linktree.to(page('ann')).length, 5);
});

test('the breaker opens at the fifth failure, and one probe closes it', async (t) => {
  const all = await startAll(t, { TIME_SCALE: '40' });
  let isBroken = true;
  all.linktree.answer = ({ path }) => (isBroken && path.startsWith(page('')) ? fail(500)() : null);
  await all.get('/ann');
  assert.equal(all.linktree.to('/profiles').length, 5);
  assert.match(await (await all.get('/metrics')).text(), /linktree_circuit_state 2/);
  const refused = await all.get('/bob');
  assert.deepEqual([refused.status, await refused.json()], [503, { error: 'circuit-open' }]);
  assert.equal(all.linktree.to('/profiles').length, 5);
  isBroken = false;
  await until(async () => (await all.get('/bob')).status === 200);
  const [fifth, probe] = all.linktree.to('/profiles').slice(4);
  assert.ok(probe.at - fifth.at >= 700, `${probe.at - fifth.at} ms`);
});

test('every call waits for a Retry-After, whatever its form', async (t) => {
  const check = async (value, atLeast) => {
    const all = await startAll(t);
    let told = 0;
    all.linktree.answer = ({ path }) => {
      if (told || !path.startsWith(page('ann'))) return null;
      told = performance.now();
      return fail(429, { 'retry-after': value() })();
    };
    await until(() => all.linktree.to('/me').length);
    const answer = await all.get('/ann');
    assert.deepEqual([answer.status, await answer.json()], [503, { error: 'retry-after' }]);
    await all.post('/api/clicks', click(1));
    await until(() => all.linktree.to('/clicks').length);
    const waited = all.linktree.to('/clicks')[0].at - told;
    assert.ok(waited >= atLeast, `${waited} ms`);
  };
  // The date is cut to whole seconds.
  const date = () => new Date(Date.now() + 1_900).toUTCString();
  await Promise.all([check(() => '1', 1_000), check(date, 890)]);
});

test('a read that stalls anywhere is given up', async (t) => {
  const stalls = {
    'before the head': () => {},
    'inside the body': (response) => response.write('{'),
    'as a trickle': (response) => {
      const timer = setInterval(() => response.write(' '), 10);
      response.on('close', () => clearInterval(timer));
    },
  };
  const check = async ([where, stall]) => {
    const all = await startAll(t);
    let closed = 0;
    all.linktree.answer = ({ path }) =>
      path.startsWith(page('ann')) &&
      ((response) => {
        response.on('close', () => closed++);
        stall(response);
      });
    await all.get('/ann');
    await until(() => closed > 0);
    const metrics = await (await all.get('/metrics')).text();
    assert.match(metrics, /requests_total\{route="profile",outcome="timeout"\} [1-5]/, where);
  };
  await Promise.all(Object.entries(stalls).map(check));
});
