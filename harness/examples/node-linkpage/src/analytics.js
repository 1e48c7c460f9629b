// GET /api/analytics/{handle}: a creator looks at own figures, with a session token.

import { createHmac, timingSafeEqual } from 'node:crypto';

const DAY_MS = 24 * 3_600_000;
// What is shown when nobody says otherwise, today included.
const DEFAULT_DAYS = 30;

const querystring = {
  type: 'object',
  additionalProperties: false,
  properties: {
    from: { type: 'string', format: 'date' },
    to: { type: 'string', format: 'date' },
  },
};

export function analyticsRoutes(app, { linktree, config }) {
  app.get('/:handle', { schema: { querystring } }, async (request, reply) => {
    // Before anything else, on every request: no cache may come first.
    const owner = sessionOwner(request.headers.authorization, config.sessionSecret);
    if (owner === null) return reply.code(401).header('www-authenticate', 'Bearer').send();
    if (owner !== request.params.handle) return reply.code(403).send();
    reply.header('cache-control', 'private, no-store');
    try {
      // Slow by design: one attempt with a longer limit, and no retry on top of it.
      const answer = await linktree.attempt({
        route: 'analytics',
        lane: 'pages',
        path: `/analytics/${owner}`,
        query: range(request.query, Date.now()),
        timeoutMs: config.linktree.analyticsTimeoutMs,
      });
      return reply.type('application/json; charset=utf-8').send(answer.body);
    } catch (error) {
      // The creator is gone, or asked for days that there are none of; neither is an outage.
      if (error.isRefusal) return reply.code(error.status).send({ error: 'refused' });
      throw error;
    }
  });
}

// Linktree wants both ends.
function range({ from, to }, now) {
  const last = to ?? dateOf(now);
  return { from: from ?? dateOf(Date.parse(last) - (DEFAULT_DAYS - 1) * DAY_MS), to: last };
}

function dateOf(ms) {
  return new Date(ms).toISOString().slice(0, 10);
}

// Whose session a `Bearer {handle}.{hmac of the handle}` is; null for nobody's.
export function sessionOwner(authorization, secret) {
  const match = /^Bearer ([a-z0-9._-]{1,30})\.([0-9a-f]{64})$/.exec(authorization ?? '');
  if (!match || !secret) return null;
  const [, handle, shown] = match;
  const expected = createHmac('sha256', secret).update(handle).digest();
  return timingSafeEqual(expected, Buffer.from(shown, 'hex')) ? handle : null;
}
