// Fills a page from Linktree: the profile, then all its links by cursor; or has a known page
// vouched for by a 304.

import { json, LinktreeError } from './linktree.js';
import { renderPage } from './html.js';

// A cursor that never ends must not fill the memory.
const MAX_LINK_PAGES = 50;
const DEFAULT_STALE_S = 86_400;
const YEAR_S = 31_536_000;

export async function fillPage(linktree, handle, known, log) {
  // A known page is most likely vouched for; of a new one a profile alone shows nothing, and in a
  // spike of cold pages the window would be spent on first halves.
  const reserved = await linktree.reserve(known ? 1 : 2);
  try {
    return await fill(linktree, handle, known, log, reserved);
  } finally {
    reserved.giveBack();
  }
}

async function fill(linktree, handle, known, log, reserved) {
  const profile = await linktree.read({
    route: 'profile',
    lane: 'pages',
    path: `/profiles/${handle}`,
    headers: known?.etag ? { 'if-none-match': known.etag } : {},
  });
  reserved.spent();
  const life = readLife(profile.headers['cache-control'], performance.now());
  if (profile.status === 304) {
    if (!known) throw new LinktreeError('malformed');
    return { ...known, ...life };
  }
  const { version, display_name: displayName, bio } = json(profile);
  if (version === undefined || version === null) throw new LinktreeError('malformed');
  const links = await activeLinks(linktree, handle);
  const page = { version: text(version), displayName: text(displayName), bio: text(bio), links };
  const { etag } = profile.headers;
  // Which page, and nothing else of the profile: it holds the creator's e-mail.
  log.info({ handle, version: page.version }, 'page filled');
  return { version: page.version, etag, html: renderPage(page), ...life };
}

async function activeLinks(linktree, handle) {
  try {
    return await allLinks(linktree, handle).catch((error) => {
      // The cursor expired on the way: once more from the start.
      if (error.status === 410) return allLinks(linktree, handle);
      throw error;
    });
  } catch (error) {
    // Only the profile's 404 means that there is no such creator.
    throw error.status === 404 ? new LinktreeError('malformed') : error;
  }
}

async function allLinks(linktree, handle) {
  const links = new Map();
  let cursor;
  for (let n = 0; n < MAX_LINK_PAGES; n++) {
    const query = cursor === undefined ? { limit: 100 } : { limit: 100, cursor };
    const path = `/profiles/${handle}/links`;
    const part = json(await linktree.read({ route: 'links', lane: 'pages', path, query }));
    if (!Array.isArray(part.data)) throw new LinktreeError('malformed');
    // A link that moved while we were reading comes twice; its newer state counts.
    for (const link of part.data) links.set(link.id, link);
    // How many links a page has says nothing: short and empty ones come in the middle, too.
    if (!part.has_more) {
      return [...links.values()]
        .filter((link) => link.is_active)
        .sort((a, b) => (a.position ?? 0) - (b.position ?? 0))
        .map(({ id, title, url }) => ({ id: text(id), title: text(title), url: text(url) }));
    }
    // Without a way to the rest it would be half a page that looks whole.
    if (typeof part.cursor !== 'string') throw new LinktreeError('malformed');
    cursor = part.cursor;
  }
  throw new LinktreeError('malformed');
}

// How long an answer is fresh, and may be shown on errors (RFC 9111, RFC 5861 section 4).
export function readLife(cacheControl, now) {
  let maxAge = 0;
  let staleIfError = DEFAULT_STALE_S;
  for (const directive of String(cacheControl ?? '')
    .toLowerCase()
    .split(',')) {
    const [name, value = ''] = directive.trim().split('=');
    const seconds = /^"?(\d+)"?$/.exec(value)?.[1];
    if (name === 'max-age' && seconds) maxAge = Math.min(Number(seconds), YEAR_S);
    if (name === 'stale-if-error' && seconds) staleIfError = Math.min(Number(seconds), YEAR_S);
    if (name === 'must-revalidate') staleIfError = 0;
    if (name === 'no-store' || name === 'no-cache') return lifeOf(now, 0, 0);
  }
  return lifeOf(now, maxAge, staleIfError);
}

function lifeOf(now, maxAge, staleIfError) {
  const freshUntil = now + maxAge * 1000;
  return { validatedAt: now, freshUntil, usableUntil: freshUntil + staleIfError * 1000 };
}

function text(value) {
  return value === undefined || value === null ? '' : String(value);
}
