import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planChannel } from './channel-plan.ts';

test('an empty policy denies every channel', () => {
  for (const name of ['cliprdr', 'rdpdr', 'rdpsnd', 'drdynvc', 'rail', 'encomsp', 'x', '']) {
    assert.deepEqual(planChannel(name, { input: true }), { kind: 'deny' }, name);
  }
});

test('the clipboard is allowed by direction', () => {
  assert.deepEqual(planChannel('CLIPRDR', { clipboard_to_client: true }), {
    kind: 'clipboard',
    toServer: false,
    toClient: true,
  });
  assert.deepEqual(planChannel('cliprdr', { clipboard_to_client: true, clipboard_to_server: true }), {
    kind: 'clipboard',
    toServer: true,
    toClient: true,
  });
});

test('devices are allowed by their kind, sound as a whole', () => {
  assert.deepEqual(planChannel('rdpdr', { drives: true }), { kind: 'devices', drives: true, printers: false });
  assert.deepEqual(planChannel('rdpdr', { printers: true }), { kind: 'devices', drives: false, printers: true });
  assert.deepEqual(planChannel('rdpsnd', { audio_output: true }), { kind: 'pass' });
});

test('dynamic channels stay denied whatever the policy allows', () => {
  const everything = { input: true, audio_input: true, usb: true, audio_output: true, drives: true };
  assert.deepEqual(planChannel('drdynvc', everything), { kind: 'deny' });
});
