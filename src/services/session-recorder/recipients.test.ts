import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateIdentity } from '#evidence/node/age-keys.ts';
import { SettingError } from '#platform/config.ts';
import { readRecipients } from './recipients.ts';

const [auditor, second, keys, recovery] = Array.from({ length: 4 }, () => generateIdentity().recipient);
const settings = { LUCID_RECIPIENTS: auditor, LUCID_INPUT_RECIPIENTS: '', LUCID_RECOVERY_RECIPIENT: recovery };

test('keystrokes go to the recovery key alone unless others are named for them', () => {
  assert.deepEqual(readRecipients({ ...settings, LUCID_RECIPIENTS: ` ${auditor}, ${second},` }), {
    screen: [auditor, second, recovery],
    input: [recovery],
    channels: [auditor, second, recovery],
  });
  assert.deepEqual(readRecipients({ ...settings, LUCID_INPUT_RECIPIENTS: keys }).input, [keys, recovery]);
});

test('one identity for all roles is named once', () => {
  const { screen, input } = readRecipients({ ...settings, LUCID_RECIPIENTS: recovery });
  assert.deepEqual([screen, input], [[recovery], [recovery]]);
});

test('nobody to open a recording, or a recipient that cannot be read, stops the start', () => {
  const refused = (changes: Partial<typeof settings>, words: RegExp) =>
    assert.throws(
      () => readRecipients({ ...settings, ...changes }),
      (error) => error instanceof SettingError && words.test(error.message),
    );
  refused({ LUCID_RECIPIENTS: '' }, /LUCID_RECIPIENTS is not set/);
  refused({ LUCID_RECOVERY_RECIPIENT: '' }, /nobody could open recorded keystrokes/);
  refused({ LUCID_RECIPIENTS: `${auditor}x` }, /^LUCID_RECIPIENTS: /);
});
