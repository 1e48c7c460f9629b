// The front door: all routes, and what an error looks like from outside.

import cors from '@fastify/cors';
import Fastify, { LogController } from 'fastify';
import { analyticsRoutes } from './analytics.js';
import { campaignRoutes } from './campaigns.js';
import { clickRoutes } from './clicks.js';
import { LinktreeError } from './linktree.js';
import { webhookRoutes } from './webhooks.js';

const HANDLE = /^[a-z0-9._-]{1,30}$/;

// The framework's own lines about requests name visitors' addresses, so there are none.
export function newApp(logger) {
  const logController = new LogController({ disableRequestLogging: true });
  return Fastify({ loggerInstance: logger, logController, bodyLimit: 1 << 20 });
}

export async function addRoutes(app, services) {
  const { config, metrics, pages } = services;
  app.setErrorHandler(answerError);
  app.setNotFoundHandler((_, reply) => reply.code(404).send({ error: 'not_found' }));

  app.get('/healthz', async () => 'ok\n');
  app.get('/metrics', async (_, reply) => {
    reply.type(metrics.registry.contentType);
    return metrics.registry.metrics();
  });
  const routes = [
    ['/api/clicks', 'POST', clickRoutes],
    ['/api/campaigns', 'POST', campaignRoutes],
    ['/api/analytics', 'GET', analyticsRoutes],
  ];
  for (const [prefix, method, register] of routes) {
    await app.register(
      async (api) => {
        // An origin is allowed to the letter or not at all; every answer has `Vary: Origin`.
        await api.register(cors, {
          origin: config.allowedOrigins,
          methods: [method],
          allowedHeaders: ['content-type', 'authorization'],
          maxAge: 600,
        });
        register(api, services);
      },
      { prefix },
    );
  }
  webhookRoutes(app, services);

  app.get('/:handle', async (request, reply) => {
    const { handle } = request.params;
    const seen = HANDLE.test(handle) ? await pages.read(handle) : { missing: true };
    if (seen.missing) return reply.callNotFound();
    metrics.pageServed(seen.result ?? 'miss');
    if (seen.failure) throw seen.failure;
    if (/^[\x21-\x7e]{1,256}$/.test(seen.page.version)) {
      reply.header('x-profile-version', seen.page.version);
    }
    return reply
      .header('cache-status', seen.cacheStatus)
      .header('age', seen.age)
      .header('content-security-policy', "default-src 'none'")
      .header('x-content-type-options', 'nosniff')
      .type('text/html; charset=utf-8')
      .send(seen.page.html);
  });
}

// Says what is wrong without a word of what came in or of what Linktree said.
function answerError(error, request, reply) {
  const route = request.routeOptions.url;
  if (error instanceof LinktreeError) {
    const barrier = error.barrier;
    const waitMs = barrier ? barrier.until - performance.now() : 1_000;
    reply.header('retry-after', Math.max(1, Math.ceil(waitMs / 1000)));
    const code = error.kind === 'timeout' ? 504 : 503;
    return reply.code(code).send({ error: barrier?.reason ?? error.kind });
  }
  const status = error.statusCode >= 400 && error.statusCode < 500 ? error.statusCode : 503;
  // A parser's or a validator's message quotes the request, so only codes are logged.
  if (status === 503) {
    request.log.error({ route, code: error.code, name: error.name }, 'a request failed');
  }
  return reply.code(status).send({ error: status === 503 ? 'unavailable' : error.code });
}
