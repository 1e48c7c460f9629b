// Puts the service together, starts it and stops it.

import { join } from 'node:path';
import pino from 'pino';
import { Account } from './account.js';
import { addRoutes, newApp } from './app.js';
import { linkOf, MOST_CHANGES, sendChanges } from './campaigns.js';
import { sendClicks } from './clicks.js';
import { Courier } from './courier.js';
import { Journal } from './journal.js';
import { Linktree } from './linktree.js';
import { Metrics } from './metrics.js';
import { Outbox } from './outbox.js';
import { Pages } from './pages.js';
import { Vault } from './vault.js';
import { Webhooks } from './webhooks.js';

// Resolves, once the service is listening, to { url, stop() }.
export async function startService(config) {
  const log = pino({ level: config.logLevel, base: undefined });
  const metrics = new Metrics();
  const vault = new Vault(config.vault, log);
  await vault.open();
  const linktree = new Linktree(
    { ...config.linktree, dataDir: config.dataDir },
    { vault, metrics, log },
  );
  const {
    keyRestMs,
    retry: { baseMs: retryBaseMs },
  } = config.linktree;
  const pages = new Pages(linktree, config.pages, { retryBaseMs, log });
  const clicks = await Outbox.open(join(config.dataDir, 'clicks.ndjson'));
  const changes = await Outbox.open(join(config.dataDir, 'campaigns.ndjson'));
  const deadLetters = await Journal.open(join(config.dataDir, 'dead-letters.ndjson'));
  const { scheme } = config.webhooks;
  const webhooks = new Webhooks({ scheme, vault, pages, deadLetters, metrics, log });
  const account = new Account({ linktree, vault, config, log });
  addGauges(metrics, { linktree, clicks, changes, account });

  const keepRefused = (what) => async (item, status) => {
    log.warn({ what, status }, 'Linktree refused an item; it is kept');
    metrics.refused(what);
    await deadLetters.append({ what, at: new Date(), status, item });
  };
  const couriers = [
    new Courier(clicks, linktree, {
      lane: 'clicks',
      batch: config.clicks.batch,
      pace: clickPace(linktree, config),
      send: (items) => sendClicks(linktree, items),
      keepRefused: keepRefused('click'),
      keyRestMs,
      log,
    }),
    new Courier(changes, linktree, {
      lane: 'campaigns',
      batch: MOST_CHANGES,
      pace: () => 0,
      send: (items) => sendChanges(linktree, items),
      subjectOf: linkOf,
      keepRefused: keepRefused('link'),
      keyRestMs,
      log,
    }),
  ];

  const app = newApp(log);
  await addRoutes(app, { config, metrics, pages, linktree, clicks, changes, webhooks });
  const url = await app.listen({ host: config.host, port: config.port });
  for (const courier of couriers) courier.start();
  account.start();

  const stop = async () => {
    account.stop();
    vault.close();
    await Promise.all([app.close(), ...couriers.map((courier) => courier.stop())]);
    await Promise.all([clicks.close(), changes.close(), deadLetters.close(), linktree.close()]);
  };
  return { url, stop };
}

// How long a click waits for company: longer once half of the reserved slots are used, so that a
// steady flow of clicks leaves the pages their share.
function clickPace(linktree, { clicks, linktree: { rate } }) {
  const calmMs = Math.max(clicks.coalesceMs, rate.windowMs / rate.reservedForClicks);
  return () => (linktree.used('clicks') * 2 > rate.reservedForClicks ? calmMs : clicks.coalesceMs);
}

function addGauges(metrics, { linktree, clicks, changes, account }) {
  const gauge = (name, help, value) => metrics.gauge(`linktree_${name}`, help, value);
  gauge('rate_limit_used', 'Requests in the window of the limit', () => linktree.used());
  gauge('circuit_state', '0 closed, 1 half-open, 2 open', () => linktree.circuitState());
  gauge('click_queue_depth', 'Clicks that wait', () => clicks.depth);
  gauge('click_delivery_lag_seconds', 'Age of the oldest of them', () => clicks.lagSeconds);
  gauge('campaign_queue_depth', 'Link changes that wait', () => changes.depth);
  gauge('api_key_age_seconds', 'Age of the API key', () => account.keyAgeSeconds);
}
