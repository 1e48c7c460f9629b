// The limiter: what a sliding window admits, and the slots that are kept for clicks.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SlidingLog } from '../src/limiter.js';

const rate = { cap: 9, reservedForClicks: 3, windowMs: 1000, guardMs: 10 };

function take(log, lane, now) {
  if (log.freeAt(lane, now) > now) return false;
  log.take(lane, now);
  return true;
}

test('no window of any position holds more than the cap', () => {
  const log = new SlidingLog(rate);
  const sent = [];
  for (let now = 0; now < 10_000; now += 7) if (take(log, 'clicks', now)) sent.push(now);
  assert.ok(sent.length >= 81);
  for (let i = 0; i + 9 < sent.length; i++) assert.ok(sent[i + 9] - sent[i] >= 1010);
});

test('pages leave the reserved slots to clicks', () => {
  const log = new SlidingLog(rate);
  const pages = Array.from({ length: 9 }, () => take(log, 'pages', 0)).filter(Boolean);
  const clicks = Array.from({ length: 9 }, () => take(log, 'clicks', 0)).filter(Boolean);
  assert.deepEqual([pages.length, clicks.length, log.used(0)], [6, 3, 9]);
});

test('a slot is free when it was said to be', () => {
  const log = new SlidingLog(rate);
  for (let now = 0; now < 6; now++) take(log, 'pages', now);
  const free = log.freeAt('pages', 500);
  assert.equal(free, 1010);
  assert.equal(take(log, 'pages', free - 1), false);
  assert.equal(take(log, 'pages', free), true);
});

test('what was sent counts on after a restart', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'limiter-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const open = () => SlidingLog.keptIn({ ...rate, windowMs: 60_000 }, folder, assert.fail);
  const [first, now] = [open(), performance.now()];
  for (let n = 0; n < 9; n++) take(first, n < 6 ? 'pages' : 'clicks', now);
  const second = open();
  assert.deepEqual([second.used(now), second.used(now, 'clicks')], [9, 3]);
  assert.equal(take(second, 'clicks', now), false);
});

test('what is set aside is nobody elses until it is spent or given back', () => {
  const log = new SlidingLog(rate);
  const fills = [0, 1, 2].map(() => log.setAside('pages', 0, 2));
  assert.equal(log.setAside('pages', 0, 1).freeAt, 1010);
  log.take('pages', 0);
  fills[0].spent();
  assert.equal(log.setAside('pages', 0, 1).freeAt, 1010);
  fills[1].giveBack();
  fills[1].giveBack();
  assert.equal(log.setAside('pages', 0, 2).freeAt, undefined);
});
