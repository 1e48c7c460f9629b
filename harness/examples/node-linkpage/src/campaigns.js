// POST /api/campaigns: a launch changes hundreds of links; 202 once they are on disk. They go out
// in batches of a hundred, behind the same limiter as everything else.

import { randomUUID } from 'node:crypto';
import { json } from './linktree.js';

// What Linktree takes in one call.
export const MOST_CHANGES = 100;

const text = { type: 'string', minLength: 1, maxLength: 2048 };
const body = {
  type: 'object',
  additionalProperties: false,
  required: ['handle', 'links'],
  properties: {
    handle: { type: 'string', pattern: '^[a-z0-9._-]{1,30}$' },
    links: {
      type: 'array',
      minItems: 1,
      maxItems: 2000,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['id', 'title', 'url'],
        properties: { id: text, title: text, url: text },
      },
    },
  },
};

export function campaignRoutes(app, { changes }) {
  app.post('/', { schema: { body }, bodyLimit: 8 << 20 }, async (request, reply) => {
    const campaign = randomUUID();
    // Keys of our own keep two campaigns on one link apart.
    const items = request.body.links.map((link, n) => {
      const key = `${campaign}:${n}`;
      return [key, { key, link }];
    });
    await changes.addAll(items);
    return reply.code(202).send({ campaign });
  });
}

// What a change changes: a newer one of the same link makes an older one pointless, and sent again after
// it the older one would win.
export function linkOf({ link }) {
  return link.id;
}

// Makes one call for these changes, at most one for each link; resolves to their statuses by key.
export async function sendChanges(linktree, changes) {
  const answer = await linktree.attempt({
    route: 'links_batch',
    lane: 'campaigns',
    method: 'POST',
    path: '/links/batch',
    body: { items: changes.map(({ link }) => link) },
  });
  const statuses = new Map(json(answer).results?.map((one) => [one.id, one.status]));
  return new Map(changes.map(({ key, link }) => [key, statuses.get(link.id)]));
}
