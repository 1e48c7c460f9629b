// POST /webhooks/linktree: signed deliveries, each with its effect once.

import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { isSigned, SCHEMES } from './signature.js';

// Longer than a sender goes on repeating a delivery; a signature is good for five minutes only.
const REMEMBER_MS = 24 * 3_600_000;
// How seldom a signature that is not right has the vault asked for another secret.
const LEAST_PAUSE_MS = 1_000;

export class Webhooks {
  #scheme;
  #vault;
  #pages;
  #deadLetters;
  #metrics;
  #log;
  #askedAt = -Infinity; // when the vault was last asked because of a signature
  #seen = new LRUCache({ max: 100_000, ttl: REMEMBER_MS });

  constructor({ scheme, vault, pages, deadLetters, metrics, log }) {
    this.#scheme = SCHEMES[scheme];
    this.#vault = vault;
    this.#pages = pages;
    this.#deadLetters = deadLetters;
    this.#metrics = metrics;
    this.#log = log;
  }

  // What became of a delivery: accepted, duplicate, ignored, kept or refused.
  async receive(bytes, headers) {
    const result = await this.#process(bytes, headers);
    this.#metrics.webhook(result);
    return result;
  }

  async #process(bytes, headers) {
    if (!(await this.#isGenuine(bytes, headers))) return 'refused';
    // The id, where the signature covers it. A message that is sent again has the same bytes.
    const id = headers[this.#scheme.id] ?? createHash('sha256').update(bytes).digest('hex');
    if (this.#seen.has(id)) return 'duplicate';
    this.#seen.set(id, true);
    try {
      return this.#act(JSON.parse(bytes.toString()));
    } catch (error) {
      // Signed, but not understood: sending it again would change nothing.
      this.#log.error({ id, reason: error.name }, 'a webhook could not be processed; it is kept');
      try {
        await this.#deadLetters.append({ what: 'webhook', at: new Date(), id, ...payload(bytes) });
      } catch (failure) {
        this.#seen.delete(id);
        throw failure;
      }
      return 'kept';
    }
  }

  async #isGenuine(bytes, headers) {
    const check = (secret) => isSigned(this.#scheme, bytes, headers, secret);
    const { webhookSecret, version } = this.#vault.secrets;
    if (check(webhookSecret)) return true;
    // The secret may have been rotated since it was read. Forgeries must not become a storm on the vault.
    const now = performance.now();
    if (now - this.#askedAt >= LEAST_PAUSE_MS) this.#askedAt = now;
    if (!(await this.#vault.renewed(version, this.#askedAt))) return false;
    return check(this.#vault.secrets.webhookSecret);
  }

  #act({ type, data }) {
    switch (type) {
      case 'link.updated':
      case 'profile.updated':
        if (typeof data.handle !== 'string') throw new TypeError('there is no handle');
        this.#pages.expire(data.handle);
        return 'accepted';
      case 'link.clicked':
        if (typeof data.handle !== 'string') throw new TypeError('there is no handle');
        return 'accepted';
      default:
        return 'ignored';
    }
  }
}

// As it came: whoever replays it can have it verified again.
function payload(bytes) {
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes)
    ? { payload: text }
    : { payload_base64: bytes.toString('base64') };
}

export function webhookRoutes(app, { webhooks }) {
  app.register(async (scope) => {
    // The signature covers the bytes as they came, so nothing may parse them first.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_, bytes, done) => done(null, bytes));
    scope.head('/webhooks/linktree', async (_, reply) => reply.code(204).send());
    scope.post('/webhooks/linktree', async (request, reply) => {
      const bytes = request.body ?? Buffer.alloc(0);
      const result = await webhooks.receive(bytes, request.headers);
      return reply.code(result === 'refused' ? 401 : 202).send();
    });
  });
}
