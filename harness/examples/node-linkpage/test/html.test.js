// The page: whatever a creator wrote is text, and only harmless addresses are links.

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

test('markup is text, in titles and in attributes', () => {
  assert.equal(
    item("<b onclick='x'>&", 'https://a.example/?q="><script>'),
    '<a href="https://a.example/?q=%22%3E%3Cscript%3E" data-link-id="l1" ' +
      'rel="noopener nofollow">&lt;b onclick=&#39;x&#39;&gt;&amp;</a>',
  );
  const quotes = item('t', 'tel:1\'&quot;"onclick=x');
  assert.match(quotes, /^<a href="tel:1&#39;&amp;quot;&quot;onclick=x" /);
  const page = renderPage({ version: '"><x>', displayName: '</title>', bio: '<i>"', links: [] });
  assert.match(page, /content="&quot;&gt;&lt;x&gt;"/);
  assert.match(page, /<title>&lt;\/title&gt;<\/title>/);
  assert.match(page, /<p class="bio">&lt;i&gt;&quot;<\/p>/);
});

test('addresses that can run nothing are links, written as they were understood', () => {
  const href = (url) => /^<a href="([^"]*)"/.exec(item('t', url))?.[1];
  assert.equal(href(' HTTPS://A.example/a b '), 'https://a.example/a%20b');
  assert.equal(href('ht\ntps:\\\\a.example\\b'), 'https://a.example/b');
  assert.equal(href('mailto:ann@a.example'), 'mailto:ann@a.example');
  assert.equal(href('tel:+1'), 'tel:+1');
});

test('all others are no links, however they are spelled', () => {
  for (const url of [
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'java\tscript:alert(1)',
    'java\r\nscript:alert(1)',
    'javascript\t:alert(1)',
    '\x00javascript:alert(1)',
    '\x01\x1f javascript:alert(1)',
    'javascript://a.example/%0Aalert(1)',
    'javascript&colon;alert(1)',
    'vbscript:x',
    'data:text/html,<script>x</script>',
    'blob:https://a.example/x',
    'view-source:https://a.example',
    'file:///etc/passwd',
    '//a.example',
    '/p',
    'https://',
    'http://[',
    '',
  ]) {
    assert.equal(item('t', url), '<span data-link-id="l1">t</span>', url);
  }
});
