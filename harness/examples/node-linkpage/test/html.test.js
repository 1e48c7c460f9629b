// The page: whatever a creator wrote is text, and only web addresses are links.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderPage } from '../src/html.js';

function item(title, url) {
  const html = renderPage({
    version: 'v',
    displayName: '',
    bio: '',
    links: [{ id: 'l1', title, url }],
  });
  return /<li>(.*)<\/li>/s.exec(html)[1];
}

test('markup is text', () => {
  assert.equal(
    item("<b onclick='x'>&", 'https://a.example/?q="><script>'),
    '<a href="https://a.example/?q=&quot;&gt;&lt;script&gt;" data-link-id="l1" ' +
      'rel="noopener nofollow">&lt;b onclick=&#39;x&#39;&gt;&amp;</a>',
  );
});

test('other schemes are no links, however they are spelled', () => {
  for (const url of [
    'javascript:alert(1)',
    'java\tscript:alert(1)',
    ' JaVaScRiPt:x',
    'data:text/html,x',
    '/p',
  ]) {
    assert.equal(item('t', url), '<span data-link-id="l1">t</span>', url);
  }
});
