// The client of Linktree: admission, one attempt, retries.
//
// Every attempt passes the gate (Retry-After), the breaker and the limiter, in this order and in
// one turn of the event loop, right before it is sent. Whoever may not pass is told until when.

import { setTimeout as sleep } from 'node:timers/promises';
import {
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  ExponentialBackoff,
  fullJitterGenerator,
  handleWhen,
  isBrokenCircuitError,
  noop,
  retry,
} from 'cockatiel';
import { Agent, request } from 'undici';
import { SlidingLog } from './limiter.js';
import { retryAfterMs } from './retry-after.js';

const MAX_ANSWER_BYTES = 8 << 20;
// Timers and clocks round: better a little late than too early.
const RETRY_AFTER_MARGIN_MS = 20;
// When to ask again while a probe is out, whose end nobody can know.
const PROBE_POLL_MS = 20;

// Why there is no answer. `kind`: barred, timeout, connection, status or malformed.
export class LinktreeError extends Error {
  constructor(kind, details = {}) {
    super(details.status ? `status ${details.status}` : kind);
    this.name = 'LinktreeError';
    this.kind = kind;
    this.status = details.status;
    // For barred: { reason: retry-after | circuit-open | rate-limit, until }.
    this.barrier = details.barrier;
    // With which secrets it was sent, and when.
    this.secretsVersion = details.secretsVersion;
    this.sentAt = details.sentAt;
  }

  // It speaks of a broken Linktree, so the breaker counts it.
  get isOutage() {
    return this.kind === 'timeout' || this.kind === 'connection' || this.status >= 500;
  }

  // The same request may succeed later.
  get isTransient() {
    return this.isOutage || this.status === 429;
  }

  // It speaks of the key, not of Linktree or of what was sent.
  get isAuth() {
    return this.status === 401 || this.status === 403;
  }

  // Linktree will never take this. What speaks of the key, the time or the rate does not count.
  get isRefusal() {
    return isRefusal(this.status);
  }
}

export function isRefusal(status) {
  return status >= 400 && status < 500 && ![401, 403, 408, 425, 429].includes(status);
}

export class Linktree {
  #config;
  #vault;
  #metrics;
  #log;
  #limiter;
  #breaker;
  #retry;
  #dispatcher;
  #heldUntil = 0; // by a Retry-After
  #openUntil = 0; // by the breaker
  #renewal = null; // of a key that was refused, while it is under way

  constructor(config, { vault, metrics, log }) {
    this.#config = config;
    this.#vault = vault;
    this.#metrics = metrics;
    this.#log = log;
    this.#limiter = SlidingLog.keptIn(config.rate, config.dataDir, (error) =>
      log.error({ err: error }, 'a request was not written down'),
    );
    // The limiter bounds the connections; a queue in front of them would only hide it.
    this.#dispatcher = new Agent({ maxResponseSize: MAX_ANSWER_BYTES });
    this.#breaker = config.breaker.enabled ? this.#newBreaker(config.breaker) : noop;
    this.#retry = retry(
      handleWhen((error) => error.isTransient === true),
      {
        maxAttempts: config.retry.attempts - 1,
        backoff: this.backoff(),
      },
    ).dangerouslyUnref(); // the server keeps the process alive, not a retry
  }

  #newBreaker({ failures, openMs }) {
    const breaker = circuitBreaker(
      handleWhen((error) => error.isOutage === true),
      {
        halfOpenAfter: openMs,
        breaker: new ConsecutiveBreaker(failures),
      },
    );
    breaker.onBreak(() => (this.#openUntil = performance.now() + openMs));
    breaker.onStateChange((state) => {
      this.#log.warn({ state: CircuitState[state] }, 'the breaker changed');
    });
    return breaker;
  }

  // Exponential delays with full jitter, the policy of every retry here.
  backoff() {
    const { baseMs, capMs } = this.#config.retry;
    const generator = fullJitterGenerator;
    return new ExponentialBackoff({ generator, initialDelay: baseMs, maxDelay: capMs });
  }

  // What an attempt would meet now: null, or { reason, until }. Takes nothing.
  barrier(lane) {
    const now = performance.now();
    if (now < this.#heldUntil) return { reason: 'retry-after', until: this.#heldUntil };
    const circuit = this.#breaker.state;
    if (circuit === CircuitState.Open && now < this.#openUntil) {
      return { reason: 'circuit-open', until: this.#openUntil };
    }
    // cockatiel would let callers queue behind the probe; a visitor is better off with an answer.
    if (circuit === CircuitState.HalfOpen) {
      return { reason: 'circuit-open', until: now + PROBE_POLL_MS };
    }
    const free = this.#limiter.freeAt(lane, now);
    return free > now ? { reason: 'rate-limit', until: free } : null;
  }

  // Sends one attempt at once, or throws. A call is { route, lane, method, path, query, headers,
  // body, timeoutMs }; the answer { status, headers, body }.
  async attempt(call) {
    // While a refused key is being replaced, nobody else need be refused with it.
    if (this.#renewal) await this.#renewal;
    try {
      return await this.#admitted(call);
    } catch (error) {
      if (error.status !== 401 || !(await this.#renewed(error))) throw error;
      return this.#admitted(call);
    }
  }

  // Whether the vault has another key than the one that was refused. Asked once for all who sent theirs
  // before; how often that is, the limiter bounds.
  async #renewed({ secretsVersion, sentAt }) {
    const renewal = this.#vault.renewed(secretsVersion, sentAt);
    this.#renewal = renewal;
    try {
      return await renewal;
    } finally {
      if (this.#renewal === renewal) this.#renewal = null;
    }
  }

  // Reads, with retries. Ends early when the way is barred: the caller has a page to answer.
  read(call) {
    return this.#retry.execute(async () => {
      // A slot of the limiter is worth a short wait, but nothing else is.
      const deadline = performance.now() + this.#config.rate.patienceMs;
      for (;;) {
        const barrier = this.barrier(call.lane);
        if (barrier?.reason !== 'rate-limit' || barrier.until > deadline) break;
        await sleep(barrier.until - performance.now());
      }
      return this.attempt(call);
    });
  }

  // Sets slots of the limiter aside for reads to come; waits a little for them, as a read does.
  async reserve(slots) {
    const deadline = performance.now() + this.#config.rate.patienceMs;
    for (;;) {
      const now = performance.now();
      const reserved = this.#limiter.setAside('pages', now, slots);
      if (reserved.freeAt === undefined) return reserved;
      if (reserved.freeAt > deadline) {
        throw this.#barred({ route: 'profile' }, { reason: 'rate-limit', until: reserved.freeAt });
      }
      await sleep(reserved.freeAt - now);
    }
  }

  // Requests in the limiter's window, of one lane or of all.
  used(lane) {
    return this.#limiter.used(performance.now(), lane);
  }

  // Of the secrets that the next attempt goes with.
  get secretsVersion() {
    return this.#vault.secrets.version;
  }

  // 0 closed, 1 half-open, 2 open.
  circuitState() {
    return { [CircuitState.HalfOpen]: 1, [CircuitState.Open]: 2 }[this.#breaker.state] ?? 0;
  }

  close() {
    return this.#dispatcher.destroy();
  }

  async #admitted(call) {
    const barrier = this.barrier(call.lane);
    if (barrier) throw this.#barred(call, barrier);
    try {
      // The breaker runs this at once or not at all, so what barrier() saw still holds.
      return await this.#breaker.execute(() => {
        this.#limiter.take(call.lane, performance.now());
        return this.#exchange(call);
      });
    } catch (error) {
      if (!isBrokenCircuitError(error)) throw error;
      const until = performance.now() + PROBE_POLL_MS;
      throw this.#barred(call, { reason: 'circuit-open', until });
    }
  }

  #barred(call, barrier) {
    this.#metrics.upstreamBarred(call.route, barrier.reason);
    return new LinktreeError('barred', { barrier });
  }

  async #exchange(call) {
    const started = performance.now();
    let failure = null;
    try {
      return await this.#sendAndRead(call);
    } catch (error) {
      failure = error;
      const { kind, status } = error;
      this.#log.info({ route: call.route, kind, status }, 'an attempt failed');
      throw error;
    } finally {
      const seconds = (performance.now() - started) / 1000;
      this.#metrics.upstreamAnswered(call.route, seconds, failure);
    }
  }

  async #sendAndRead(call) {
    const sentAt = performance.now();
    const { apiKey, version: secretsVersion } = this.#vault.secrets;
    const headers = {
      accept: 'application/json',
      authorization: `Bearer ${apiKey}`,
      'user-agent': 'linkpage/1',
      ...call.headers,
    };
    if (call.body !== undefined) headers['content-type'] = 'application/json';
    // One limit from connecting to the last byte: a limit on silence never ends a trickle.
    const signal = AbortSignal.timeout(call.timeoutMs ?? this.#config.timeoutMs);
    let answer, text;
    try {
      answer = await request(`${this.#config.url}/v1${call.path}`, {
        dispatcher: this.#dispatcher,
        method: call.method ?? 'GET',
        query: call.query,
        headers,
        body: call.body === undefined ? null : JSON.stringify(call.body),
        signal,
      });
      this.#obey(answer);
      text = await answer.body.text();
    } catch {
      throw new LinktreeError(signal.aborted ? 'timeout' : 'connection');
    }
    const status = answer.statusCode;
    if ((status >= 200 && status < 300) || status === 304) {
      return { status, headers: answer.headers, body: text };
    }
    throw new LinktreeError('status', { status, secretsVersion, sentAt });
  }

  // Holds every call back as soon as the head is there: the key is throttled, not the route.
  #obey({ statusCode, headers }) {
    if (statusCode < 300) return;
    const delay = retryAfterMs(headers['retry-after'], Date.now());
    if (delay === 0) return;
    const until = performance.now() + delay + RETRY_AFTER_MARGIN_MS;
    this.#heldUntil = Math.max(this.#heldUntil, until);
  }
}

// The body of an answer as JSON; anything else makes no sense.
export function json(answer) {
  try {
    return JSON.parse(answer.body);
  } catch {
    throw new LinktreeError('malformed');
  }
}
