// What is asked of Linktree about ourselves: how old the key is, and that webhooks come here.

import { setTimeout as sleep } from 'node:timers/promises';
import { json, LinktreeError } from './linktree.js';

const EVENTS = ['link.clicked', 'link.updated', 'profile.updated'];

export class Account {
  #linktree;
  #vault;
  #config;
  #log;
  #keyCreatedAt;
  #keyVersion; // of the secrets that the age belongs to
  #stopping = new AbortController();

  constructor({ linktree, vault, config, log }) {
    this.#linktree = linktree;
    this.#vault = vault;
    this.#config = config;
    this.#log = log;
  }

  start() {
    this.#repeat(() => this.#readKey(), this.#config.vault.refreshMs);
    if (this.#config.publicUrl) this.#repeat(() => this.#register(), null);
  }

  stop() {
    this.#stopping.abort();
  }

  // Seconds since the key was made; undefined until Linktree has said so.
  get keyAgeSeconds() {
    return this.#keyCreatedAt && (Date.now() - this.#keyCreatedAt) / 1000;
  }

  async #readKey() {
    const { version } = this.#vault.secrets;
    if (version === this.#keyVersion) return;
    const me = await this.#linktree.read({ route: 'me', lane: 'account', path: '/me' });
    this.#keyCreatedAt = Date.parse(json(me).key.created_at);
    this.#keyVersion = version;
  }

  async #register() {
    const url = `${this.#config.publicUrl}/webhooks/linktree`;
    await this.#linktree.attempt({
      route: 'webhooks',
      lane: 'account',
      method: 'POST',
      path: '/webhooks',
      // Without a secret of its own it is signed with the account's, which the vault rotates.
      body: { url, events: EVENTS },
    });
  }

  // Until it succeeded, and again every so often, or never again for null.
  async #repeat(task, everyMs) {
    const { signal } = this.#stopping;
    let backoff = this.#linktree.backoff();
    while (!signal.aborted) {
      let pause = everyMs;
      try {
        await task();
        backoff = this.#linktree.backoff();
      } catch (error) {
        // The message of an error that nobody expected may quote anything.
        const reason = error instanceof LinktreeError ? error.message : error.name;
        this.#log.warn({ reason }, 'failed to set up the account at Linktree');
        // A scope that is not granted now is not granted in a second: the next start asks again.
        const isFinal = error.isRefusal || error.status === 403;
        if (isFinal && everyMs === null) return;
        backoff = backoff.next();
        pause = backoff.duration;
      }
      if (pause === null) return;
      await sleep(pause, undefined, { signal, ref: false }).catch(() => {});
    }
  }
}
