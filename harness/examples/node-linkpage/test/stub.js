// A Linktree and a vault on loopback, whose answers a test chooses, and a service in front of them.

import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig } from '../src/config.js';
import { startService } from '../src/service.js';

export const WEBHOOK_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

// What a healthy Linktree answers: { status, headers, json } or a function that writes it itself.
function healthy({ method, path, body }, version) {
  if (path.startsWith('/v1/me')) return { json: { key: { created_at: '2026-01-01T00:00:00Z' } } };
  if (path.endsWith('/clicks/batch')) {
    return { json: { results: body.events.map(({ event_id }) => ({ event_id, status: 202 })) } };
  }
  if (path.endsWith('/links/batch')) {
    return { json: { results: body.items.map(({ id }) => ({ id, status: 200 })) } };
  }
  if (path.endsWith('/webhooks') && method === 'GET') return { json: { data: [] } };
  if (path.includes('/links')) return { json: { data: [link(1)], cursor: null, has_more: false } };
  if (method === 'POST') return { status: 202, json: {} };
  return {
    headers: { 'cache-control': 'max-age=0, stale-if-error=60', etag: `"${version}"` },
    json: { display_name: 'Ann', bio: '<b>hi</b>', email: 'ann@creator.example', version },
  };
}

export function link(n, more = {}) {
  const rest = { title: `Link ${n}`, url: `https://a.example/${n}`, position: n, is_active: true };
  return { id: `l${n}`, ...rest, ...more };
}

export async function startLinktree() {
  // `vault()` is what the vault answers instead, if anything.
  const linktree = {
    calls: [],
    key: 'lt_live_1',
    webhookSecret: WEBHOOK_SECRET,
    version: 'v1',
    answer: () => null,
    vault: () => null,
    vaultReads: 0,
  };
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    const text = Buffer.concat(chunks).toString();
    const { method, url: path, headers } = request;
    if (path.startsWith('/v1/secret/')) {
      linktree.vaultReads++;
      const data = { api_key: linktree.key, webhook_secret: linktree.webhookSecret };
      const metadata = { version: linktree.key };
      return reply(
        response,
        (await linktree.vault(path)) ?? { json: { data: { data, metadata } } },
      );
    }
    const call = { method, path, headers, body: text ? JSON.parse(text) : undefined };
    const answer = linktree.answer(call) ?? healthy(call, linktree.version);
    linktree.calls.push({ ...call, at: performance.now() });
    return typeof answer === 'function' ? answer(response) : reply(response, answer);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  linktree.url = `http://127.0.0.1:${server.address().port}`;
  linktree.to = (part) => linktree.calls.filter((call) => call.path.includes(part));
  linktree.close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return linktree;
}

function reply(response, { status = 200, headers = {}, json }) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(json ?? { error: {} }));
}

// A service at a twentieth of the contract's durations unless `env` says otherwise; `t` ends all.
export async function startAll(t, { LINKTREE_KEY, ...env } = {}) {
  const linktree = await startLinktree();
  linktree.key = LINKTREE_KEY ?? linktree.key;
  const dataDir = await mkdtemp(join(tmpdir(), 'linkpage-'));
  const restart = async () => {
    const config = readConfig({
      PORT: '0',
      DATA_DIR: dataDir,
      LINKTREE_URL: linktree.url,
      VAULT_URL: linktree.url,
      VAULT_TOKEN: 'vault-token',
      SESSION_SECRET: 'session-secret',
      ALLOWED_ORIGIN: 'https://app.example',
      TIME_SCALE: '20',
      LOG_LEVEL: 'silent',
      ...env,
    });
    return startService(config);
  };
  const all = { linktree, dataDir, service: await restart() };
  all.restart = async () => {
    await all.service.stop();
    all.service = await restart();
  };
  all.get = (path, options) => fetch(`${all.service.url}${path}`, options);
  all.post = (path, json, headers = {}) =>
    all.get(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof json === 'string' ? json : JSON.stringify(json),
    });
  t.after(async () => {
    await all.service.stop();
    await linktree.close();
    await rm(dataDir, { recursive: true });
  });
  return all;
}

// Waits until `check()` gives something true; a test that waits in vain fails by its time limit.
export async function until(check) {
  for (;;) {
    const value = await check();
    if (value) return value;
    await sleep(5);
  }
}

export function click(n) {
  const occurred_at = '2026-01-01T00:00:00.123Z';
  return { event_id: `e${n}`, handle: 'ann', link_id: 'l1', occurred_at };
}
