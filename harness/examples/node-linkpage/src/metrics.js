// Counts what happens, for Prometheus.

import { Counter, Gauge, Histogram, Registry } from 'prom-client';

// Upper bounds in seconds: fine around the 0.5 s of the latency alert, up to the timeouts.
const BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 1, 1.5, 2.5, 5, 10, 30,
];

export class Metrics {
  registry = new Registry();
  #requests;
  #durations;
  #pages;
  #webhooks;
  #refused;

  constructor() {
    const registers = [this.registry];
    this.#requests = new Counter({
      name: 'linktree_upstream_requests_total',
      help: 'Attempts at Linktree, sent or held back, by how they ended',
      labelNames: ['route', 'outcome'],
      registers,
    });
    this.#durations = new Histogram({
      name: 'linktree_upstream_request_duration_seconds',
      help: 'Time from sending an attempt to the last byte of its answer',
      labelNames: ['route'],
      buckets: BUCKETS,
      registers,
    });
    this.#pages = new Counter({
      name: 'linktree_profile_cache_requests_total',
      help: 'Page views by where the page came from',
      labelNames: ['result'],
      registers,
    });
    this.#webhooks = new Counter({
      name: 'linktree_webhook_deliveries_total',
      help: 'Deliveries of webhooks by what became of them',
      labelNames: ['result'],
      registers,
    });
    this.#refused = new Counter({
      name: 'linktree_refused_total',
      help: 'Clicks and link changes that Linktree refused for good',
      labelNames: ['what'],
      registers,
    });
  }

  // A gauge that is asked for at the time of a scrape; undefined leaves it out.
  gauge(name, help, value) {
    const collect = function () {
      const now = value();
      if (now === undefined) this.reset();
      else this.set(now);
    };
    new Gauge({ name, help, collect, registers: [this.registry] });
  }

  upstreamAnswered(route, seconds, failure) {
    this.#requests.inc({ route, outcome: outcome(failure) });
    this.#durations.observe({ route }, seconds);
  }

  upstreamBarred(route, reason) {
    const word = reason === 'circuit-open' ? 'circuit_open' : 'rate_limited_locally';
    this.#requests.inc({ route, outcome: word });
  }

  pageServed(result) {
    this.#pages.inc({ result });
  }

  webhook(result) {
    this.#webhooks.inc({ result });
  }

  refused(what) {
    this.#refused.inc({ what });
  }
}

function outcome(failure) {
  if (!failure) return 'ok';
  if (failure.kind === 'timeout') return 'timeout';
  if (failure.kind !== 'status') return 'connect';
  if (failure.status === 401 || failure.status === 403) return 'auth';
  if (failure.status === 429) return 'http_429';
  return failure.status >= 500 ? 'http_5xx' : 'http_4xx';
}
