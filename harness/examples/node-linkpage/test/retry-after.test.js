// Retry-After: both forms are read, anything else is as if absent.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryAfterMs } from '../src/retry-after.js';

const NOW = 784_111_777_000 - 3_000;

function check(value, seconds) {
  assert.equal(retryAfterMs(value, NOW), seconds * 1000, String(value));
}

test('seconds and all three date forms', () => {
  check('0', 0);
  check(' 120 ', 120);
  check('99999999999999999999', 3600);
  check('Sun, 06 Nov 1994 08:49:37 GMT', 3);
  check('Sunday, 06-Nov-94 08:49:37 GMT', 3);
  check('Sun Nov  6 08:49:37 1994', 3);
});

test('a past date and everything malformed name no time', () => {
  check('Sun, 06 Nov 1994 08:49:30 GMT', 0);
  for (const value of ['', '-5', '+5', '1.5', 'soon', '5, 7', undefined, ['1', '2']]) {
    check(value, 0);
  }
});
