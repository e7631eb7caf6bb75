import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import type { Document } from './docs-page/document.ts';

/** The page takes nothing from elsewhere, and sends nothing elsewhere. */
const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-cache',
};

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

/**
 * Serves what describes the API: its OpenAPI document, and a page to read it. Each is made, and what makes it loaded, when
 * it is first asked for.
 */
export function serveDocuments(app: FastifyInstance): void {
  let document: Promise<Record<string, unknown>> | undefined;
  const getDocument = () => {
    document ??= makeDocument();
    return document;
  };
  app.get('/openapi.json', async () => getDocument());
  serve('/docs', 'text/html', async () => {
    const { docsPage } = await import('./docs-page/page.ts');
    return docsPage((await getDocument()) as unknown as Document);
  });
  serve('/docs/page.css', 'text/css', () => read('docs-page/page.css'));
  serve('/docs/page.js', 'text/javascript', () => read('docs-page/page.js'));

  function serve(path: string, type: string, make: () => string | Promise<string>): void {
    let made: { text: string; etag: string } | undefined;
    app.get(path, async (request, reply) => {
      if (!made) {
        const text = await make();
        made = { text, etag: `"${createHash('sha256').update(text).digest('hex').slice(0, 32)}"` };
      }
      const { text, etag } = made;
      reply.headers(PAGE_HEADERS).header('etag', etag);
      if (request.headers['if-none-match'] === etag) return reply.status(304).send();
      return reply.type(`${type}; charset=utf-8`).send(text);
    });
  }
}

async function makeDocument(): Promise<Record<string, unknown>> {
  const { apiDocument } = await import('#contract/api/document.ts');
  return apiDocument(JSON.parse(read('../../../package.json')).version);
}
