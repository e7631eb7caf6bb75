import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type InputEvent, PointerFlag } from '#rdp/pdu/input.ts';
import { HeldInput } from './held-input.ts';

const key = (code: number, release = false, extended = false): InputEvent => {
  return { kind: 'scancode', code, release, extended, extended1: false };
};

test('lets go of what is down, each once', () => {
  const held = new HeldInput();
  held.take([key(0x2a), key(0x1d, false, true), key(0x1e), key(0x1e), key(0x1e, true)]);
  held.take([
    { kind: 'unicode', code: 0x20ac, release: false },
    { kind: 'mouse', flags: PointerFlag.down | PointerFlag.button2, x: 7, y: 8 },
    { kind: 'mouse', flags: PointerFlag.wheel | 0x78, x: 0, y: 0 },
    { kind: 'extendedMouse', flags: PointerFlag.down | 1, x: 9, y: 10 },
  ]);
  assert.deepEqual(held.release(), [
    key(0x2a, true),
    key(0x1d, true, true),
    { kind: 'unicode', code: 0x20ac, release: true },
    { kind: 'mouse', flags: PointerFlag.button2, x: 9, y: 10 },
    { kind: 'extendedMouse', flags: 1, x: 9, y: 10 },
  ]);
  assert.deepEqual(held.release(), []);
});

test('a Synchronize event means that no key is down', () => {
  const held = new HeldInput();
  held.take([key(0x2a), { kind: 'synchronize', toggleFlags: 0 }]);
  assert.deepEqual(held.release(), []);
});

test('a client that holds every code there is down fills no memory', () => {
  const held = new HeldInput();
  held.take(Array.from({ length: 0x10000 }, (_, code) => ({ kind: 'unicode', code, release: false })));
  assert.equal(held.release().length, 256);
});
