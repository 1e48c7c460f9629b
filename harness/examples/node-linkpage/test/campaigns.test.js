// Campaigns: durable before 202, in few calls, each change once, and the last one of a link wins.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAll, until } from './stub.js';

function campaign(from, to, title = 't') {
  const links = [];
  for (let n = from; n < to; n++) links.push({ id: `l${n}`, title, url: `https://a.example/${n}` });
  return { handle: 'ann', links };
}

const batches = (all) => all.linktree.to('/links/batch').map(({ body }) => body.items);
const isDone = async (all) =>
  /linktree_campaign_queue_depth 0/.test(await (await all.get('/metrics')).text());
const ids = (items) => items.map(({ id }) => id);

async function launch(all, body) {
  assert.equal((await all.post('/api/campaigns', body)).status, 202);
}

test('a campaign goes out in batches, each change once', async (t) => {
  const all = await startAll(t);
  await launch(all, campaign(0, 250));
  await until(() => isDone(all));
  assert.deepEqual(batches(all).flat(), campaign(0, 250).links);
  assert.ok(batches(all).length <= 4 && batches(all).every(({ length }) => length <= 100));
});

test('only what failed is sent again, together', async (t) => {
  const all = await startAll(t);
  let isFirst = true;
  all.linktree.answer = ({ path, body }) => {
    if (!path.endsWith('/links/batch') || !isFirst) return null;
    isFirst = false;
    const status = (n) => (n % 5 === 0 ? 503 : 200);
    return { json: { results: body.items.map(({ id }, n) => ({ id, status: status(n) })) } };
  };
  await launch(all, campaign(0, 50));
  await until(() => isDone(all));
  const failed = ids(campaign(0, 50).links).filter((_, n) => n % 5 === 0);
  assert.deepEqual(batches(all).map(ids), [ids(campaign(0, 50).links), failed]);
});

test('a batch whose answer was lost is sent again as it was', async (t) => {
  const all = await startAll(t);
  let isFirst = true;
  all.linktree.answer = ({ path }) => {
    if (!path.endsWith('/links/batch') || !isFirst) return null;
    isFirst = false;
    return (response) => response.destroy();
  };
  await launch(all, campaign(0, 30));
  await until(() => isDone(all));
  assert.deepEqual(batches(all), [campaign(0, 30).links, campaign(0, 30).links]);
});

test('a newer change of a link makes the older one pointless, also over a restart', async (t) => {
  const all = await startAll(t);
  all.linktree.answer = ({ path }) => (path.endsWith('/links/batch') ? { status: 503 } : null);
  await launch(all, campaign(0, 60, 'old'));
  await launch(all, campaign(50, 90, 'new'));
  await all.restart();
  all.linktree.answer = () => null;
  all.linktree.calls.length = 0;
  await until(() => isDone(all));
  const sent = batches(all).flat();
  const titles = new Map(sent.map(({ id, title }) => [id, title]));
  assert.deepEqual([sent.length, titles.get('l49'), titles.get('l50')], [90, 'old', 'new']);
});

test('what is no campaign is refused whole', async (t) => {
  const all = await startAll(t);
  for (const wrong of [
    { links: [] },
    { handle: 'UPPER' },
    { links: [{ id: 'l1', title: '', url: 'https://a.example' }] },
    { links: [{ id: 'l1', title: 't' }] },
    campaign(0, 2001),
  ]) {
    const answer = await all.post('/api/campaigns', { ...campaign(0, 1), ...wrong });
    assert.equal(answer.status, 400);
  }
  assert.ok(await isDone(all));
});
