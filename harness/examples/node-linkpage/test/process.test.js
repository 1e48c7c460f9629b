// The process: kill -9 loses no click that was acknowledged, SIGTERM is a clean end, and the log
// names pages and nobody.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { click, startLinktree, until } from './stub.js';

const SERVER = fileURLToPath(new URL('../server.js', import.meta.url));

// Starts the real program on any port; resolves to the child and its address.
async function run(linktree, dataDir) {
  const env = {
    PATH: process.env.PATH,
    PORT: '0',
    DATA_DIR: dataDir,
    LINKTREE_URL: linktree.url,
    VAULT_URL: linktree.url,
    VAULT_TOKEN: 'vault-token',
    TIME_SCALE: '20',
  };
  const child = spawn(process.execPath, [SERVER], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let log = '';
  child.stdout.on('data', (bytes) => (log += bytes));
  const url = await until(() => /listening at (http:\/\/[\d.:]+)/.exec(log)?.[1]);
  return { child, url, log: () => log };
}

test('clicks that were acknowledged survive kill -9', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'linkpage-'));
  const linktree = await startLinktree();
  t.after(async () => {
    await linktree.close();
    await rm(dataDir, { recursive: true });
  });
  linktree.answer = ({ path }) => (path.includes('/clicks') ? { status: 503 } : null);

  const before = await run(linktree, dataDir);
  const visitor = { ip: '192.0.2.77', user_agent: 'Browser/1' };
  const send = async (n) => {
    const body = JSON.stringify({ ...click(n), visitor });
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': visitor.ip };
    const answer = await fetch(`${before.url}/api/clicks`, { method: 'POST', headers, body });
    assert.equal(answer.status, 202);
    return `e${n}`;
  };
  const acknowledged = await Promise.all(Array.from({ length: 40 }, (_, n) => send(n)));
  before.child.kill('SIGKILL');
  await once(before.child, 'exit');

  linktree.answer = () => null;
  linktree.calls.length = 0;
  const after = await run(linktree, dataDir);
  const arrived = () => linktree.to('/clicks').flatMap(({ body }) => body.events ?? [body]);
  await until(() => arrived().length >= 40);
  assert.deepEqual(
    arrived()
      .map((one) => one.event_id)
      .sort(),
    acknowledged.sort(),
  );
  after.child.kill('SIGTERM');
  const [code] = await once(after.child, 'exit');
  assert.equal(code, 0);
  for (const secret of ['192.0.2.77', 'Browser/1', 'lt_live_1', 'vault-token']) {
    assert.ok(!(before.log() + after.log()).includes(secret), secret);
  }
});

test('the log has one line for each filled page, and names nobody', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'linkpage-'));
  const linktree = await startLinktree();
  t.after(async () => {
    await linktree.close();
    await rm(dataDir, { recursive: true });
  });
  const { child, url, log } = await run(linktree, dataDir);
  assert.equal((await fetch(`${url}/ann`)).status, 200);
  linktree.answer = () => ({ status: 304 });
  assert.equal((await fetch(`${url}/ann`)).status, 200);
  linktree.answer = () => ({ status: 401 });
  assert.equal((await fetch(`${url}/bob`)).status, 503);
  assert.equal(linktree.to('/bob').length, 1);
  child.kill('SIGTERM');
  await once(child, 'exit');
  const lines = log()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const filled = lines.filter(({ msg }) => msg === 'page filled');
  assert.deepEqual(
    filled.map(({ level, handle, version }) => [level, handle, version]),
    [[30, 'ann', 'v1']],
  );
  assert.ok(!log().includes('ann@creator.example'));
});
