// Writes a page as HTML. Whatever a creator wrote is text, and only addresses that can run nothing are
// links.

const SCHEMES = new Set(['http:', 'https:', 'mailto:', 'tel:']);

export function renderPage({ version, displayName, bio, links }) {
  const name = escape(displayName);
  const items = links.map((link) => `<li>${renderLink(link)}</li>\n`).join('');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="profile-version" content="${escape(version)}">
<title>${name}</title></head>
<body><h1>${name}</h1>
<p class="bio">${escape(bio)}</p>
<ul class="links">
${items}</ul></body></html>
`;
}

function renderLink({ id, title, url }) {
  const text = escape(title);
  const href = safeAddress(url);
  if (href === null) return `<span data-link-id="${escape(id)}">${text}</span>`;
  const rel = 'noopener nofollow';
  return `<a href="${escape(href)}" data-link-id="${escape(id)}" rel="${rel}">${text}</a>`;
}

// Parsed as a browser parses it (WHATWG URL), so that tabs, line feeds and leading controls around a
// scheme hide nothing; and written as it was understood, so that nobody understands it otherwise.
function safeAddress(text) {
  if (!URL.canParse(text)) return null;
  const { protocol, href } = new URL(text);
  return SCHEMES.has(protocol) ? href : null;
}

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escape(text) {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}
