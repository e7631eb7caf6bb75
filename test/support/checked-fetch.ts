/** A `fetch` that holds every answer of the API against its OpenAPI document. */
import assert from 'node:assert/strict';
import type { TSchema } from 'typebox';
import { Check, Errors } from 'typebox/value';
import type { Route } from '#contract/contract.ts';
import { sessionApi } from '#contract/session-api.ts';

const ROUTES = Object.entries(sessionApi.routes as Record<string, Route>).map(([name, route]) => {
  const path = new RegExp(`^${route.path.replace(/:\w+/g, '[^/]+')}$`);
  return { name, route, path };
});

/** Paths of members that a schema does not name. */
function undescribed(schema: Record<string, unknown>, value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const variants = schema.anyOf as TSchema[] | undefined;
  if (variants) {
    const fitting = variants.find((variant) => Check(variant, value));
    return fitting ? undescribed(fitting as never, value, path) : [path];
  }
  if (Array.isArray(value)) {
    return value.flatMap((item, i) => undescribed(schema.items as never, item, `${path}/${i}`));
  }
  const { properties, patternProperties } = schema as Record<string, Record<string, never> | undefined>;
  return Object.entries(value).flatMap(([key, member]) => {
    if (properties && Object.hasOwn(properties, key)) return undescribed(properties[key], member, `${path}/${key}`);
    return patternProperties ? [] : [`${path}/${key}`];
  });
}

interface Documented {
  paths: Record<string, Record<string, { operationId: string; responses: Record<string, unknown> }>>;
}

/**
 * @param base of the API
 * @returns a `fetch` that throws an AssertionError for an answer that the document does not describe, and the names of the
 *   operations that have succeeded through it
 */
export async function checkedFetch(base: string): Promise<{ fetch: typeof fetch; succeeded: Set<string> }> {
  const { paths } = (await (await fetch(`${base}/openapi.json`)).json()) as Documented;
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  const responses = new Map(operations.map((operation) => [operation.operationId, operation.responses]));
  const succeeded = new Set<string>();

  const checked: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    const { pathname } = new URL(String(input));
    const found = ROUTES.find(({ route, path }) => route.method === (init?.method ?? 'GET') && path.test(pathname));
    if (!found) return response;
    const { name, route } = found;
    const { status } = response;
    assert.ok(responses.get(name)?.[status], `${name} answered with ${status}, which is not in the document`);
    if (route.rate && status < 400) {
      assert.match(response.headers.get('ratelimit') ?? '', /^"\w+";r=\d+;t=\d+$/, name);
      assert.match(response.headers.get('ratelimit-policy') ?? '', /^"\w+";q=\d+;w=60$/, name);
    }
    if (status === 429 || status === 503) assert.match(response.headers.get('retry-after') ?? '', /^\d+$/, name);
    if (status >= 400) return response;
    succeeded.add(name);
    if (typeof route.response === 'string') {
      const types = route.media ?? ['application/octet-stream'];
      assert.ok(types.includes(response.headers.get('content-type')!), `${name} sends another type than ${types}`);
      return response;
    }
    const answer = await response.clone().json();
    const faults = [...Errors(route.response, answer)].map((fault) => JSON.stringify(fault));
    assert.deepEqual(faults, [], `${name} answered what its schema does not allow`);
    assert.deepEqual(undescribed(route.response as never, answer), [], `${name} answered what is not described`);
    return response;
  };
  return { fetch: checked, succeeded };
}
