// Writes a page as HTML. Whatever a creator wrote is text, and only http(s) addresses are links.

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
  if (!isWebAddress(url)) return `<span data-link-id="${escape(id)}">${text}</span>`;
  const rel = 'noopener nofollow';
  return `<a href="${escape(url)}" data-link-id="${escape(id)}" rel="${rel}">${text}</a>`;
}

// Parsed as a browser parses it, so that tabs and line feeds inside a scheme hide nothing.
function isWebAddress(text) {
  if (!URL.canParse(text)) return false;
  return ['http:', 'https:'].includes(new URL(text).protocol);
}

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escape(text) {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}
