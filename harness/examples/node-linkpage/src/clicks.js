// POST /api/clicks: a visitor clicks; 202 once the click is on disk. Sent singly or in batches.

import { json } from './linktree.js';

const id = { type: 'string', pattern: '^[\\x21-\\x7e]{1,128}$' };

// Whatever else the browser sends, the visitor's address included, is dropped here.
const body = {
  type: 'object',
  additionalProperties: false,
  required: ['event_id', 'handle', 'link_id', 'occurred_at'],
  properties: {
    event_id: id,
    handle: { type: 'string', pattern: '^[a-z0-9._-]{1,30}$' },
    link_id: id,
    occurred_at: { type: 'string', format: 'date-time', maxLength: 64 },
  },
};

export function clickRoutes(app, { clicks }) {
  app.post('/', { schema: { body }, bodyLimit: 16 << 10 }, async (request, reply) => {
    await clicks.add(request.body.event_id, request.body);
    return reply.code(202).send();
  });
}

// Makes one call for these clicks; resolves to their statuses by event id.
export async function sendClicks(linktree, clicks) {
  if (clicks.length === 1) {
    const [click] = clicks;
    const { status } = await linktree.attempt({
      route: 'click',
      lane: 'clicks',
      method: 'POST',
      path: '/clicks',
      // The same on every attempt, for ever.
      headers: { 'idempotency-key': click.event_id },
      body: click,
    });
    return new Map([[click.event_id, status]]);
  }
  const answer = await linktree.attempt({
    route: 'click_batch',
    lane: 'clicks',
    method: 'POST',
    path: '/clicks/batch',
    body: { events: clicks },
  });
  return new Map(json(answer).results?.map((one) => [one.event_id, one.status]));
}
