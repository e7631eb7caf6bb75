import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choice, flag, integer, readSettings, refuseUnknownSettings, SettingError, text } from './config.ts';

const schema = {
  LUCID_NAME: text('a name', 'none'),
  LUCID_SECONDS: integer('a time', 60, 5, 3600, 'seconds'),
  LUCID_LOUD: flag('a flag', false),
  LUCID_MODE: choice('a mode', 'strict', 'relaxed'),
};

test('settings fall back to their defaults, for empty values too', () => {
  assert.deepEqual(readSettings(schema, { LUCID_NAME: '' }), {
    LUCID_NAME: 'none',
    LUCID_SECONDS: 60,
    LUCID_LOUD: false,
    LUCID_MODE: 'strict',
  });
});

test('settings are read with their types', () => {
  const env = { LUCID_NAME: 'x', LUCID_SECONDS: '5', LUCID_LOUD: 'true', LUCID_MODE: 'relaxed' };
  assert.deepEqual(readSettings(schema, env), {
    LUCID_NAME: 'x',
    LUCID_SECONDS: 5,
    LUCID_LOUD: true,
    LUCID_MODE: 'relaxed',
  });
});

for (const [name, value, wanted] of [
  ['LUCID_SECONDS', '4', 'whole number from 5 to 3600 (seconds)'],
  ['LUCID_SECONDS', '1e3', 'whole number'],
  ['LUCID_SECONDS', '10s', 'whole number'],
  ['LUCID_LOUD', 'yes', 'true or false'],
  ['LUCID_MODE', 'lax', 'one of strict, relaxed'],
]) {
  test(`${name}=${value} is refused by name, with what is wanted`, () => {
    assert.throws(
      () => readSettings(schema, { [name]: value }),
      (error: Error) =>
        error instanceof SettingError && error.message.includes(`${name}=${value}`) && error.message.includes(wanted),
    );
  });
}

test('an unknown LUCID_ variable is refused with the nearest known one; others are not ours', () => {
  const known = new Set(Object.keys(schema));
  refuseUnknownSettings({ PATH: '/bin', LUCID_MODE: 'strict' }, known);
  assert.throws(() => refuseUnknownSettings({ LUCID_SECOND: '5' }, known), /LUCID_SECOND is not.*LUCID_SECONDS/);
});
