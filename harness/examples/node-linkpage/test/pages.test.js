// Pages: filled by cursor, shared by visitors, shown from the shelf while Linktree is down.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLife } from '../src/fill.js';
import { link, startAll, until } from './stub.js';

test('a page shows every active link once and in order', async (t) => {
  const all = await startAll(t);
  const pages = {
    undefined: { data: [link(3), link(2)], cursor: 'c1', has_more: true },
    c1: { data: [link(2), link(1)], cursor: 'c2', has_more: true },
    c2: { data: [link(4, { is_active: false })], cursor: null, has_more: false },
  };
  all.linktree.answer = ({ path }) => {
    const { pathname, searchParams } = new URL(path, 'http://x');
    const cursor = searchParams.get('cursor') ?? undefined;
    return pathname.endsWith('/links') ? { json: pages[cursor] } : null;
  };
  const answer = await all.get('/ann');
  const html = await answer.text();
  assert.deepEqual(
    [...html.matchAll(/data-link-id="(\w+)"/g)].map((m) => m[1]),
    ['l1', 'l2', 'l3'],
  );
  assert.equal(answer.headers.get('x-profile-version'), 'v1');
  assert.ok(html.includes('&lt;b&gt;hi&lt;/b&gt;'));
  assert.ok(all.linktree.to('/links').every(({ path }) => !/offset|page=/.test(path)));
});

// A Linktree whose listing of a page's links changes between its pages: `parts` by cursor, each a
// function of how often it was asked for.
function listing(all, parts) {
  const asked = [];
  all.linktree.answer = ({ path }) => {
    const { pathname, searchParams } = new URL(path, 'http://x');
    if (!pathname.endsWith('/links')) return null;
    const cursor = searchParams.get('cursor') ?? 'first';
    asked.push(cursor);
    const part = parts[cursor](asked.filter((one) => one === cursor).length);
    return part.status ? part : { json: part };
  };
  return asked;
}

async function shownIds(all) {
  const answer = await all.get('/ann');
  return [...(await answer.text()).matchAll(/data-link-id="(\w+)"/g)].map((match) => match[1]);
}

test('short and empty pages are followed, and links that come or go meanwhile break nothing', async (t) => {
  const all = await startAll(t);
  const asked = listing(all, {
    first: () => ({ data: [link(1)], cursor: 'a', has_more: true }),
    a: () => ({ data: [], cursor: 'b', has_more: true }),
    // l1 was removed, which moved l2 up; l9 came; l3 moved down behind the cursor and comes twice.
    b: () => ({
      data: [link(2, { position: 1 }), link(3), link(9, { position: 4 })],
      cursor: 'c',
      has_more: true,
    }),
    c: () => ({ data: [link(3, { position: 5 })], cursor: null, has_more: false }),
  });
  assert.deepEqual(await shownIds(all), ['l1', 'l2', 'l9', 'l3']);
  assert.deepEqual(asked, ['first', 'a', 'b', 'c']);
});

test('after a 410 the links are listed anew, without a cursor and without what was listed', async (t) => {
  const all = await startAll(t);
  const asked = listing(all, {
    first: (nth) => ({ data: [link(nth)], cursor: `a${nth}`, has_more: true }),
    a1: () => ({ status: 410 }),
    a2: () => ({ data: [link(3)], cursor: null, has_more: false }),
  });
  assert.deepEqual(await shownIds(all), ['l2', 'l3']);
  assert.deepEqual(asked, ['first', 'a1', 'first', 'a2']);
});

test('a listing that cannot be followed to its end is no page', async (t) => {
  const all = await startAll(t);
  listing(all, { first: () => ({ data: [link(1)], cursor: null, has_more: true }) });
  assert.equal((await all.get('/ann')).status, 503);
});

test('visitors who come together share one read', async (t) => {
  const all = await startAll(t);
  all.linktree.answer = ({ path }) =>
    path.endsWith('/ann')
      ? { headers: { 'cache-control': 'max-age=60' }, json: { version: 'v1' } }
      : null;
  const answers = await Promise.all(Array.from({ length: 20 }, () => all.get('/ann')));
  assert.ok(answers.every(({ status }) => status === 200));
  assert.equal(all.linktree.to('/profiles/ann').length, 2);
});

test('a 304 vouches for the whole page', async (t) => {
  const all = await startAll(t);
  await all.get('/ann');
  all.linktree.answer = ({ headers }) =>
    headers['if-none-match'] === '"v1"' ? { status: 304 } : null;
  const again = await all.get('/ann');
  assert.match(again.headers.get('cache-status'), /^linkpage; fwd=stale; ttl=-?\d+; stored/);
  assert.equal(all.linktree.to('/profiles/ann/links').length, 1);
});

test('an expired page is shown while Linktree is down, an unknown one is not', async (t) => {
  const all = await startAll(t);
  await all.get('/ann');
  all.linktree.answer = () => ({ status: 500 });
  const stale = await all.get('/ann');
  assert.equal(stale.status, 200);
  assert.equal(stale.headers.get('x-profile-version'), 'v1');
  assert.equal((await all.get('/bob')).status, 503);
});

test('an expired page is shown when a newer one takes too long', async (t) => {
  const all = await startAll(t, { TIME_SCALE: '10' });
  await all.get('/ann');
  all.linktree.answer = () => () => {};
  const stale = await all.get('/ann');
  assert.equal(stale.headers.get('x-profile-version'), 'v1');
  assert.match(stale.headers.get('cache-status'), /detail=timeout/);
});

test('an unknown handle is a 404, asked for once', async (t) => {
  const all = await startAll(t, { TIME_SCALE: '1' });
  all.linktree.answer = ({ path }) => (path.includes('/profiles') ? { status: 404 } : null);
  assert.equal((await all.get('/nobody')).status, 404);
  assert.equal((await all.get('/nobody')).status, 404);
  assert.equal((await all.get('/NOT%20A%20HANDLE')).status, 404);
  assert.equal(all.linktree.to('/profiles').length, 1);
});

test('a HTML page in place of JSON is no page', async (t) => {
  const all = await startAll(t);
  await all.get('/ann');
  all.linktree.answer = () => (response) => response.end('<html>');
  await until(async () => (await all.get('/ann')).headers.get('x-profile-version') === 'v1');
  assert.equal((await all.get('/bob')).status, 503);
});

test('Cache-Control says how long a page lives', () => {
  const life = (text) => {
    const { freshUntil, usableUntil } = readLife(text, 0);
    return [freshUntil / 1000, usableUntil / 1000];
  };
  assert.deepEqual(life('max-age=4, stale-if-error=60'), [4, 64]);
  assert.deepEqual(life(undefined), [0, 86_400]);
  assert.deepEqual(life('max-age=4, must-revalidate'), [4, 4]);
  assert.deepEqual(life('no-store, max-age=4'), [0, 0]);
});
