import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiDocument } from './api/document.ts';
import { sessionApi } from './session-api.ts';

interface Operation {
  operationId: string;
  security: unknown[];
  parameters: { name: string; required: boolean; $ref?: string }[];
  responses: Record<string, { content?: Record<string, { schema: { $ref?: string } }> }>;
}

const document = apiDocument('1') as {
  paths: Record<string, Record<string, Operation>>;
  components: Record<string, Record<string, unknown>>;
};
const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));

/** Every reference in a value. */
function* references(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    if (key === '$ref') yield member as string;
    else yield* references(member);
  }
}

test('the OpenAPI document has every route with its parameters', () => {
  assert.deepEqual(operations.map((operation) => operation.operationId).sort(), Object.keys(sessionApi.routes).sort());
  const chunk = document.paths['/api/v1/sessions/{id}/chunks/{stream}/{index}'].get;
  assert.deepEqual(
    chunk.parameters.map((parameter) => [parameter.name, parameter.required]),
    [
      ['id', true],
      ['stream', true],
      ['index', true],
    ],
  );
  assert.deepEqual(chunk.security, [{ token: ['evidence:read'] }]);
  assert.deepEqual(JSON.parse(JSON.stringify(document)), document);
});

test('schemas with names stand in it once, every reference leads somewhere, and every name is used', () => {
  const session = document.paths['/api/v1/sessions/{id}'].get.responses[200].content!['application/json'].schema;
  assert.deepEqual(session, { $ref: '#/components/schemas/Session' });
  const found = new Set(references(document));
  for (const reference of found) {
    const [, , kind, name] = reference.split('/');
    assert.ok(document.components[kind]?.[name], reference);
  }
  for (const name of Object.keys(document.components.schemas)) {
    assert.ok(found.has(`#/components/schemas/${name}`), `${name} is used nowhere`);
  }
});

test('each route for people says who may call it, and is counted against an allowance', () => {
  for (const [name, route] of Object.entries(sessionApi.routes) as [string, Record<string, unknown>][]) {
    if (name === 'logIn') continue;
    assert.ok(route.access, `${name} has no roles and scope`);
    assert.ok(route.rate, `${name} has no allowance`);
    if (route.method === 'GET') assert.ok(!route.creates, name);
  }
});
