import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiDocument } from '#contract/api/document.ts';
import { sessionApi } from '#contract/session-api.ts';
import type { Document } from './document.ts';
import { html } from './html.ts';
import { docsPage } from './page.ts';
import { exampleOf } from './schema-view.ts';

const document = apiDocument('1.2.3') as unknown as Document;
const page = docsPage(document);

test('the page has every operation and every schema, and each link in it leads somewhere', () => {
  const ids = new Set([...page.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]));
  for (const name of Object.keys(sessionApi.routes)) assert.ok(ids.has(name), name);
  for (const name of Object.keys(document.components.schemas)) assert.ok(ids.has(`schema-${name}`), name);
  for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) assert.ok(ids.has(target), `#${target}`);
  assert.equal(ids.size, [...page.matchAll(/ id="/g)].length, 'no id stands twice');
});

test('it takes nothing from elsewhere, and has neither script nor style in it', () => {
  for (const [, address] of page.matchAll(/(?:src|href)="([^"]+)"/g)) assert.match(address, /^[/#]/);
  const inline = /<style| style="| on\w+="|<script(?! type="module" src=)/.exec(page);
  assert.equal(inline, null);
});

test('its elements are closed in order', () => {
  const open: string[] = [];
  for (const [, end, name] of page.matchAll(/<(\/?)([a-z]\w*)[^>]*>/g)) {
    if (['meta', 'link', 'input', 'br'].includes(name)) continue;
    if (end) assert.equal(open.pop(), name);
    else open.push(name);
  }
  assert.deepEqual(open, []);
});

test('what is not HTML is escaped', () => {
  assert.equal(
    html`<p>${'<b a="1">&\'</b>'}${html`<i>`}${null}${['x', 1, false]}</p>`.text,
    '<p>&lt;b a=&quot;1&quot;&gt;&amp;&#39;&lt;/b&gt;<i>x1</p>',
  );
});

test('an example has what is required', () => {
  const { schema } = document.paths['/api/v1/servers'].post.requestBody!.content['application/json'];
  assert.deepEqual(exampleOf(schema, document), { name: '', spec: { kind: 'hosted' } });
  const endless = { type: 'object', required: ['a'], properties: { a: { $ref: '#/components/schemas/X' } } };
  const looped = { ...document, components: { ...document.components, schemas: { X: endless } } };
  assert.ok(JSON.stringify(exampleOf(endless, looped)).length < 200);
});
