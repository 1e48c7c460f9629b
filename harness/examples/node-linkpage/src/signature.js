// Whether a delivery comes from Linktree: HMAC-SHA256 over the bytes as they came, at a time near now.
//
// The library standardwebhooks decodes the body to text before it verifies, so that bytes which are
// no UTF-8 are others than the ones that were signed; the tests have it as their oracle.

import { createHmac, timingSafeEqual } from 'node:crypto';

const TOLERANCE_S = 300;

// https://www.standardwebhooks.com: `v1,{base64}` over `{id}.{timestamp}.{body}`, several apart by spaces.
const standard = {
  id: 'webhook-id',
  timestamp: 'webhook-timestamp',
  signature: 'webhook-signature',
  key: (secret) => Buffer.from(secret.replace(/^whsec_/, ''), 'base64'),
  covered: ({ id, timestamp }) => `${id}.${timestamp}.`,
  tags: (text) =>
    text
      .split(' ')
      .filter((one) => one.startsWith('v1,'))
      .map((one) => Buffer.from(one.slice(3))),
  encoding: 'base64',
};

// Lower hex over `{timestamp}.{body}`, several apart by commas. The id is not covered, so that it says
// nothing.
const linktreeAssumed = {
  timestamp: 'x-linktree-timestamp',
  signature: 'x-linktree-signature',
  key: (secret) => Buffer.from(secret),
  covered: ({ timestamp }) => `${timestamp}.`,
  tags: (text) => text.split(',').map((one) => Buffer.from(one.trim())),
  encoding: 'hex',
};

export const SCHEMES = { 'standard-webhooks': standard, 'linktree-assumed': linktreeAssumed };

export function isSigned(scheme, bytes, headers, secret, nowMs = Date.now()) {
  const id = scheme.id && headers[scheme.id];
  const timestamp = headers[scheme.timestamp];
  const signature = headers[scheme.signature];
  if (!secret || !timestamp || !signature || (scheme.id && !id)) return false;
  if (!/^\d{1,12}$/.test(timestamp)) return false;
  if (Math.abs(Math.floor(nowMs / 1000) - Number(timestamp)) > TOLERANCE_S) return false;
  const mac = createHmac('sha256', scheme.key(secret));
  mac.update(scheme.covered({ id, timestamp })).update(bytes);
  const expected = Buffer.from(mac.digest(scheme.encoding));
  const isRight = (tag) => tag.length === expected.length && timingSafeEqual(tag, expected);
  return scheme.tags(signature).some(isRight);
}
