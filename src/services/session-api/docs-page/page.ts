import type { Document } from './document.ts';
import { type Html, html } from './html.ts';
import { operationView, type PlacedOperation } from './operation-view.ts';
import { schemaView } from './schema-view.ts';

/** Every operation, by its tag. */
function byTag(document: Document): Map<string, PlacedOperation[]> {
  const placed = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
  return Map.groupBy(placed, ({ operation }) => operation.tags[0]);
}

/** Text with `code` in it. */
function words(text: string): Html {
  return html`${text.split('`').map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}

/**
 * The API's documentation as one page that needs nothing from elsewhere: written here from the OpenAPI document, complete
 * without its script, which adds a filter and sends requests.
 */
export function docsPage(document: Document): string {
  const groups = byTag(document);
  const { title, version, description } = document.info;
  const tags = document.tags.map(({ name }) => name);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} API</title>
<link rel="stylesheet" href="/docs/page.css">
<script type="module" src="/docs/page.js"></script>
</head>
<body>
<header>
<h1>${title} API <small>${version}</small></h1>
${description.split('\n\n').map((paragraph) => html`<p>${words(paragraph)}</p>`)}
<p>For programs: <a href="/openapi.json">openapi.json</a></p>
<form id="controls">
<label>Find <input id="filter" type="search" placeholder="name, path or words" autocomplete="off"></label>
<label>Token for trying <input id="token" type="password" autocomplete="off" placeholder="kept in this page only"></label>
</form>
<nav aria-label="Sections">${tags.map((tag) => html`<a href="#tag-${tag}">${tag}</a> `)}<a href="#schemas">schemas</a></nav>
</header>
<main>
${tags.map(
  (tag) => html`<section id="tag-${tag}"><h2>${tag}</h2>
${groups.get(tag)!.map((placed) => operationView(placed, document))}
</section>`,
)}
<section id="schemas"><h2>schemas</h2>
${Object.entries(document.components.schemas).map(
  ([name, schema]) => html`<details class="schema" id="schema-${name}"><summary>${name}</summary>
<div class="inside">${schemaView(schema)}</div></details>`,
)}
</section>
</main>
</body>
</html>
`;
  return page.text;
}
