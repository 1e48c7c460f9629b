// GET /api/analytics/{handle}: a creator looks at own figures, with a session token.

import { createHmac, timingSafeEqual } from 'node:crypto';

const querystring = {
  type: 'object',
  additionalProperties: false,
  properties: {
    from: { type: 'string', format: 'date' },
    to: { type: 'string', format: 'date' },
  },
};

export function analyticsRoutes(app, { linktree, config }) {
  app.get('/api/analytics/:handle', { schema: { querystring } }, async (request, reply) => {
    const owner = sessionOwner(request.headers.authorization, config.sessionSecret);
    if (owner === null) return reply.code(401).header('www-authenticate', 'Bearer').send();
    if (owner !== request.params.handle) return reply.code(403).send();
    // Slow by design: one attempt with a longer limit, and no retry on top of it.
    const answer = await linktree.attempt({
      route: 'analytics',
      lane: 'pages',
      path: `/analytics/${owner}`,
      query: request.query,
      timeoutMs: config.linktree.analyticsTimeoutMs,
    });
    return reply
      .header('cache-control', 'private, no-store')
      .type('application/json; charset=utf-8')
      .send(answer.body);
  });
}

// Whose session a `Bearer {handle}.{hmac of the handle}` is; null for nobody's.
export function sessionOwner(authorization, secret) {
  const match = /^Bearer ([a-z0-9._-]{1,30})\.([0-9a-f]{64})$/.exec(authorization ?? '');
  if (!match || !secret) return null;
  const [, handle, shown] = match;
  const expected = createHmac('sha256', secret).update(handle).digest();
  return timingSafeEqual(expected, Buffer.from(shown, 'hex')) ? handle : null;
}
