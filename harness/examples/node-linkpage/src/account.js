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
  #awake = new AbortController(); // aborted, and replaced, by each rotation

  constructor({ linktree, vault, config, log }) {
    this.#linktree = linktree;
    this.#vault = vault;
    this.#config = config;
    this.#log = log;
    vault.on('rotation', () => {
      this.#awake.abort();
      this.#awake = new AbortController();
    });
  }

  start() {
    this.#repeat(() => this.#readKey(), this.#config.vault.refreshMs);
    if (this.#config.publicUrl) this.#repeat(() => this.#register(), this.#config.webhooks.renewMs);
  }

  stop() {
    this.#stopping.abort();
    this.#awake.abort();
  }

  // Seconds since the key was made; undefined until Linktree has said so.
  get keyAgeSeconds() {
    return this.#keyCreatedAt && (Date.now() - this.#keyCreatedAt) / 1000;
  }

  async #readKey() {
    const { version } = this.#vault.secrets;
    if (version === this.#keyVersion) return;
    const me = await this.#linktree.read({ route: 'me', lane: 'account', path: '/me' });
    const createdAt = Date.parse(json(me).key?.created_at);
    if (Number.isNaN(createdAt)) throw new LinktreeError('malformed');
    this.#keyCreatedAt = createdAt;
    this.#keyVersion = version;
  }

  // Linktree may have ended a registration, after a 410 say, so it is looked at first, and again
  // every so often.
  async #register() {
    const url = `${this.#config.publicUrl}/webhooks/linktree`;
    const call = { route: 'webhooks', lane: 'account', path: '/webhooks' };
    const known = json(await this.#linktree.attempt(call)).data;
    const isOurs = (one) =>
      isSameAddress(one?.url, url) &&
      one.active !== false &&
      EVENTS.every((event) => one.events?.includes(event));
    if (Array.isArray(known) && known.some(isOurs)) return;
    // Without a secret of its own it is signed with the account's, which the vault rotates.
    await this.#linktree.attempt({ ...call, method: 'POST', body: { url, events: EVENTS } });
    this.#log.info({ events: EVENTS }, 'webhooks are registered');
  }

  // For ever: until it succeeded, then every so often, and after each rotation of the key.
  async #repeat(task, everyMs) {
    const { signal: stopping } = this.#stopping;
    let backoff = this.#linktree.backoff();
    while (!stopping.aborted) {
      const { signal } = this.#awake;
      let pause = everyMs;
      try {
        await task();
        backoff = this.#linktree.backoff();
      } catch (error) {
        // The message of an error that nobody expected may quote anything.
        const reason = error instanceof LinktreeError ? error.message : error.name;
        this.#log.warn({ reason }, 'failed to set up the account at Linktree');
        // A scope that is not granted now is not granted in a second.
        if (!error.isRefusal && error.status !== 403) {
          backoff = backoff.next();
          pause = backoff.duration;
        }
      }
      await sleep(pause, undefined, { signal, ref: false }).catch(() => {});
    }
  }
}

function isSameAddress(one, other) {
  return URL.canParse(one) && new URL(one).href === new URL(other).href;
}
