import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseActs } from '#evidence/act.ts';
import { utf8 } from '#evidence/text.ts';
import { settings } from './config.ts';

const document = readFileSync(new URL('../../../docs/storage.md', import.meta.url), 'utf8');

test('docs/storage.md has every setting with its default, and no other', () => {
  const GIB = 1024 ** 3;
  for (const [name, setting] of Object.entries(settings)) {
    const [, told] = new RegExp(`^\\| \`${name}\` \\| ([^|]+) \\|`, 'm').exec(document) ?? [];
    assert.ok(told, name);
    const size = typeof setting.default === 'number' ? setting.default : 0;
    const shown = size >= GIB ? `${size / GIB} GiB` : size >= 1024 ** 2 ? `${size / 1024 ** 2} MiB` : String(size);
    assert.ok(told.startsWith(setting.default === '' ? 'none' : shown), `${name}: ${told}, wanted ${shown}`);
  }
  const table = document.slice(document.indexOf('## Settings'));
  for (const [, name] of table.matchAll(/^\| `(LUCID_\w+)`/gm)) assert.ok(Object.hasOwn(settings, name), name);
});

test('its form of an act is the one that is read', () => {
  const [, form] = /^(lucid-act\/v1 <.*)$/m.exec(document)!;
  const values: Record<string, string> = {
    session: '019aa000-0000-7000-8000-000000000000',
    number: '0',
    time: '2026-01-31T09:30:00.000Z',
    'hold|release|archive|restore': 'hold',
    by: '-',
    reason: 'case-17',
  };
  const line = form.replaceAll(/<([^>]+)>/g, (_, name) => values[name]);
  assert.equal(parseActs(utf8(`${line}\n`))[0].kind, 'hold');
});
