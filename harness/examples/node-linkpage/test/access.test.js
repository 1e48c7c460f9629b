// Who may do what: analytics by session, browsers by origin.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { startAll } from './stub.js';

const token = (handle, { mac = handle, secret = 'session-secret' } = {}) =>
  `Bearer ${handle}.${createHmac('sha256', secret).update(mac).digest('hex')}`;

const figures = ({ path }) => {
  const [, owner] = /\/analytics\/([^?]*)/.exec(path) ?? [];
  return owner ? { json: { handle: owner } } : null;
};

async function look(all, path, authorization) {
  const headers = authorization ? { authorization } : {};
  return all.get(`/api/analytics/${path}`, { headers });
}

test('a creator sees own analytics only, also right after somebody else did', async (t) => {
  const all = await startAll(t);
  all.linktree.answer = figures;
  const own = await look(all, 'a.nn', token('a.nn'));
  assert.deepEqual([own.status, await own.json()], [200, { handle: 'a.nn' }]);
  assert.equal(own.headers.get('cache-control'), 'private, no-store');
  const check = async (status, authorization, path = 'a.nn') => {
    const answer = await look(all, path, authorization);
    assert.equal(answer.status, status, `${authorization} ${path}`);
    assert.ok(!(await answer.text()).includes('handle'));
  };
  await check(403, token('bob'));
  await check(401, token('a.nn', { mac: 'bob' }));
  await check(401, token('a.nn', { secret: 'another' }));
  await check(401, token('a.nn').slice(0, -1));
  await check(401, token('a.nn').toUpperCase());
  await check(401, 'Bearer ');
  await check(401, 'Bearer a.nn.');
  await check(401, undefined);
  await check(403, token('a.nn'), 'a.nn.');
  await check(403, token('a.nn'), 'a.nn%2e');
  await check(403, token('a.nn'), 'A.nn');
  assert.equal(all.linktree.to('/analytics').length, 1);
  assert.deepEqual(await (await look(all, 'bob?handle=a.nn', token('bob'))).json(), {
    handle: 'bob',
  });
});

test('without a secret for sessions nobody sees analytics', async (t) => {
  const all = await startAll(t, { SESSION_SECRET: '' });
  assert.equal((await look(all, 'ann', token('ann', { secret: '' }))).status, 401);
});

test('Linktree is asked for the days that were asked for, or for the last thirty', async (t) => {
  const all = await startAll(t);
  all.linktree.answer = figures;
  const asked = async (query) => {
    assert.equal((await look(all, `ann${query}`, token('ann'))).status, 200);
    return all.linktree.to('/analytics').at(-1).path.split('?')[1];
  };
  assert.equal(await asked('?from=2026-01-01&to=2026-01-31'), 'from=2026-01-01&to=2026-01-31');
  assert.equal(await asked('?to=2026-03-01'), 'from=2026-01-31&to=2026-03-01');
  const today = new Date().toISOString().slice(0, 10);
  assert.match(await asked(''), new RegExp(`^from=\\d{4}-\\d\\d-\\d\\d&to=${today}$`));
  assert.equal((await look(all, 'ann?from=soon', token('ann'))).status, 400);
});

test('analytics have a longer time limit than pages, and one attempt', async (t) => {
  const all = await startAll(t, { TIME_SCALE: '40' });
  // 300 ms, where a page would be given up after 250 and analytics are after 750.
  const late = (json) => (response) =>
    setTimeout(() => response.end(JSON.stringify(json)), 300).unref();
  const answering =
    (how) =>
    ({ path }) =>
      path.includes('/analytics') ? how : null;
  all.linktree.answer = answering(late({ handle: 'ann' }));
  assert.equal((await look(all, 'ann', token('ann'))).status, 200);
  all.linktree.answer = answering(() => {});
  assert.equal((await look(all, 'ann', token('ann'))).status, 504);
  assert.equal(all.linktree.to('/analytics').length, 2);
});

test('only known front ends are let in, and caches are told', async (t) => {
  const all = await startAll(t, { ALLOWED_ORIGIN: 'https://app.example, https://b.example:8443' });
  const routes = [
    ['/api/clicks', 'POST'],
    ['/api/campaigns', 'POST'],
    ['/api/analytics/ann', 'GET'],
  ];
  for (const [path, method] of routes) {
    const ask = async (origin, by) => {
      const headers = { 'access-control-request-method': method };
      if (origin) headers.origin = origin;
      const answer = await all.get(path, { method: by, headers });
      assert.match(answer.headers.get('vary') ?? '', /Origin/i, `${by} ${path}`);
      if (by === 'OPTIONS') {
        assert.equal(answer.status, 204);
        assert.equal(answer.headers.get('access-control-allow-methods'), method);
      }
      return answer.headers.get('access-control-allow-origin');
    };
    await ask(undefined, method);
    for (const by of ['OPTIONS', method]) {
      for (const origin of ['https://app.example', 'https://b.example:8443']) {
        assert.equal(await ask(origin, by), origin);
      }
      for (const origin of [
        'https://evil.com',
        'https://app.example.evil.com',
        'https://evil-app.example',
        'https://sub.app.example',
        'https://appxexample',
        'http://app.example',
        'https://app.example:8443',
        'https://app.example.',
        'https://APP.example',
        'https://app.example@evil.com',
        'https://app.example https://evil.com',
        'null',
      ]) {
        assert.equal(await ask(origin, by), null, origin);
      }
    }
  }
});
