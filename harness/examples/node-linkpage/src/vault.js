// Reads the secrets from the vault (HashiCorp KV version 2) and notices when they are rotated.

import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';

const START_WITHIN_MS = 10_000;
// A refused key or a forged webhook must not become a storm on the vault.
const LEAST_PAUSE_MS = 1_000;

export class Vault {
  #config;
  #log;
  #secrets = null;
  #reading = null;
  #readAt = -Infinity;
  #timer = null;

  constructor(config, log) {
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

  // { apiKey, webhookSecret, version }: never log it.
  get secrets() {
    return this.#secrets;
  }

  // Whether there are other secrets than those of `version`, after asking if need be.
  async renewed(version) {
    if (this.#secrets.version === version) {
      if (!this.#reading && performance.now() - this.#readAt < LEAST_PAUSE_MS) return false;
      await this.#read();
    }
    return this.#secrets.version !== version;
  }

  #read() {
    this.#reading ??= this.#ask().finally(() => {
      this.#reading = null;
      this.#readAt = performance.now();
    });
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
      const { data } = JSON.parse(text);
      const { api_key: apiKey, webhook_secret: webhookSecret } = data.data;
      if (!apiKey) throw new Error('there is no api_key');
      const version = data.metadata.version;
      if (this.#secrets && this.#secrets.version !== version) {
        this.#log.info({ version }, 'secrets were rotated');
      }
      this.#secrets = { apiKey, webhookSecret, version };
      return true;
    } catch (error) {
      // A parser's message quotes what it read, so only its name is logged.
      const reason = error instanceof SyntaxError ? error.name : (error.code ?? error.message);
      this.#log.warn({ reason }, 'the vault did not answer');
      return false;
    }
  }
}
