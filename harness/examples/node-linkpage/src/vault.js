// Reads the secrets from the vault (HashiCorp KV version 2) and notices when they are rotated.
//
// While the vault is down or shows nothing that can be used, the last good secrets stay. There is no other
// place to take a key from: a call with another environment's key is worse than no call.

import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';

const START_WITHIN_MS = 10_000;

export class Vault extends EventEmitter {
  #config;
  #log;
  #secrets = null;
  #reading = null;
  #askedAt = -Infinity; // when the last reading began
  #timer = null;

  constructor(config, log) {
    super();
    this.#config = config;
    this.#log = log;
  }

  // Waits until the vault has answered once.
  async open() {
    const deadline = performance.now() + START_WITHIN_MS;
    while (!(await this.#read())) {
      if (performance.now() > deadline) throw new Error('failed to read the secrets: no vault');
      await sleep(200);
    }
    // A key in its overlap is replaced before anybody refuses it.
    this.#timer = setInterval(() => this.#read(), this.#config.refreshMs).unref();
  }

  close() {
    clearInterval(this.#timer);
  }

  // { apiKey, webhookSecret, version }: never log it. A `rotation` is emitted when there are new ones.
  get secrets() {
    return this.#secrets;
  }

  // Whether there are other secrets than those of `version`, after asking, unless the vault was asked
  // at `since` or later: it would say the same.
  async renewed(version, since) {
    const isOpen = () => this.#reading !== null || this.#askedAt < since;
    while (this.#secrets.version === version && isOpen()) await this.#read();
    return this.#secrets.version !== version;
  }

  #read() {
    if (!this.#reading) {
      this.#askedAt = performance.now();
      this.#reading = this.#ask().finally(() => (this.#reading = null));
    }
    return this.#reading;
  }

  async #ask() {
    try {
      const { statusCode, body } = await request(`${this.#config.url}/v1/${this.#config.path}`, {
        headers: { 'x-vault-token': this.#config.token, accept: 'application/json' },
        signal: AbortSignal.timeout(3_000),
      });
      const text = await body.text();
      if (statusCode !== 200) throw new Error(`status ${statusCode}`);
      this.#take(JSON.parse(text).data);
      return true;
    } catch (error) {
      // A parser's message quotes what it read, so only its name is logged.
      const isOurs = error.constructor === Error;
      const reason = error.code ?? (isOurs ? error.message : error.name);
      this.#log.warn({ reason }, 'the vault gave no secrets; the last good ones stay');
      return false;
    }
  }

  #take({ data: { api_key: apiKey, webhook_secret: webhookSecret }, metadata: { version } }) {
    if (!apiKey) throw new Error('there is no api_key');
    const [, environment] = /^lt_(live|test)_/.exec(apiKey) ?? [];
    if (environment && environment !== this.#config.environment) {
      throw new Error(`the api_key is for the ${environment} environment`);
    }
    const before = this.#secrets;
    this.#secrets = { apiKey, webhookSecret, version };
    if (!before || before.version === version) return;
    this.#log.info({ version }, 'secrets were rotated');
    this.emit('rotation');
  }
}
