/** docs/api.md says what the contract says. `UPDATE=1` writes its tables anew. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Route } from './contract.ts';
import { ERROR_STATUS } from './errors.ts';
import { sessionApi } from './session-api.ts';

const path = new URL('../../docs/api.md', import.meta.url);
const ROLE_LETTERS = [
  ['admin', 'a'],
  ['operator', 'o'],
  ['user', 'u'],
  ['auditor', 'r'],
] as const;

/** The rows of each table, below its two lines of heading, by the comment above them. */
const tables = {
  errors: [...Map.groupBy(Object.entries(ERROR_STATUS), ([, status]) => status)].map(
    ([status, codes]) => `| ${status} | ${codes.map(([code]) => `\`${code}\``).join(', ')} |`,
  ),
  routes: Object.entries<Route>(sessionApi.routes).map(([name, { method, path, access }]) => {
    const place = path.replace(/:(\w+)/g, '{$1}');
    const roles = access ? ROLE_LETTERS.filter(([role]) => access.roles.includes(role)) : [];
    const letters = access ? roles.map(([, letter]) => letter).join('') : 'anyone';
    return `| \`${method} ${place}\` | ${name} | ${access?.scope ?? '–'} | ${letters} |`;
  }),
};

test('the tables of docs/api.md are those of the contract', () => {
  const text = readFileSync(path, 'utf8');
  let expected = text;
  for (const [name, rows] of Object.entries(tables)) {
    const table = new RegExp(`(<!-- ${name} -->\n\\|.*\n\\|.*\n)(?:\\|.*\n)*`);
    assert.match(text, table);
    expected = expected.replace(table, (_, head) => `${head}${rows.join('\n')}\n`);
  }
  if (process.env.UPDATE === '1') writeFileSync(path, expected);
  else
    assert.ok(
      text === expected,
      'write the tables anew: UPDATE=1 ./lucid --node --test src/contract/api-guide.test.ts',
    );
});

test('every path and operation that docs/api.md names is one of the contract', () => {
  const text = readFileSync(path, 'utf8');
  const routes = Object.values(sessionApi.routes).map(
    ({ path }) => new RegExp(`^${path.replace(/:\w+/g, '(\\{\\w+\\}|\\$\\w+|screen|open|\\d+)')}$`),
  );
  const named = [...text.matchAll(/\/api\/v1\/[\w/{}$-]+/g)].map(([path]) => path);
  assert.ok(named.length > Object.keys(sessionApi.routes).length);
  assert.deepEqual(
    named.filter((path) => !routes.some((route) => route.test(path))),
    [],
  );
});
