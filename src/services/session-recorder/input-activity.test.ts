import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { writeFastPathInput } from '#rdp/pdu/fast-path-input.ts';
import { type InputEvent, PointerFlag, writeInputPdu } from '#rdp/pdu/input.ts';
import { writeDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { ShareDataType, writeShareData } from '#rdp/pdu/share-data.ts';
import { InputActivity } from './input-activity.ts';

const key = (release: boolean): InputEvent => ({
  kind: 'scancode',
  release,
  extended: false,
  extended1: false,
  code: 0x1e,
});
const mouse = (flags: number): InputEvent => ({ kind: 'mouse', flags, x: 1, y: 2 });
const events = [key(false), key(true), mouse(PointerFlag.move), mouse(PointerFlag.button1 | PointerFlag.down)];

test('keys and buttons pressed are counted by second, on both paths', () => {
  const activity = new InputActivity();
  activity.add(1_999_999, writeFastPathInput(events));
  const payload = writeShareData(1, 1007, ShareDataType.input, writeInputPdu(events));
  activity.add(2_000_000, writeDomainPdu({ kind: 'sendDataRequest', initiator: 1007, channelId: 1003, payload }));
  activity.add(2_500_000, writeFastPathInput([key(false), mouse(PointerFlag.move)]));
  assert.deepEqual(activity.take(), [
    { second: 1, keys: 1, clicks: 1 },
    { second: 2, keys: 2, clicks: 1 },
  ]);
  assert.deepEqual(activity.take(), []);
});

test('whatever bytes come count for something or nothing', () => {
  const activity = new InputActivity();
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(), (bytes, time) => activity.add(time, bytes)));
});
