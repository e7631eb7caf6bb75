import assert from 'node:assert/strict';
import { test } from 'node:test';
import AjvCompiler from '@fastify/ajv-compiler';
import { Type } from 'typebox';
import { CONTRACTS } from '#contract/index.ts';
import { compileLazily } from './validation.ts';

test('every schema of every contract is a JSON schema that can be compiled', () => {
  const compile = AjvCompiler()({}, { customOptions: { strictSchema: false } }) as (part: {
    schema: unknown;
  }) => unknown;
  let count = 0;
  for (const { routes } of Object.values(CONTRACTS)) {
    for (const { params, query, body } of Object.values(routes) as {
      params?: object;
      query?: object;
      body?: unknown;
    }[]) {
      for (const schema of [params, query, body]) {
        if (typeof schema !== 'object' || schema === null) continue;
        compile({ schema });
        count++;
      }
    }
  }
  assert.ok(count > 50);
});

test('text becomes the type that the schema wants, defaults are filled in, and errors stand beside', () => {
  const schema = Type.Object({ limit: Type.Integer({ maximum: 9, default: 5 }), all: Type.Optional(Type.Boolean()) });
  const validate = compileLazily({ schema, method: 'GET', url: '/', httpPart: 'querystring' });
  const query = { all: 'true' };
  assert.equal(validate(query), true);
  assert.deepEqual(query, { limit: 5, all: true });
  assert.equal(validate({ limit: '10' }), false);
  assert.match(validate.errors![0].message!, /<= 9/);
});

test('a body means what it says: null is no empty text, and text is no number', () => {
  const schema = Type.Object({ password: Type.Union([Type.String(), Type.Null()]), limit: Type.Integer() });
  const validate = compileLazily({ schema, method: 'POST', url: '/', httpPart: 'body' });
  const body = { password: null, limit: 5 };
  assert.equal(validate(body), true);
  assert.equal(body.password, null);
  assert.equal(validate({ password: null, limit: '5' }), false);
});
