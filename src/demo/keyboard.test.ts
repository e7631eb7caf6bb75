import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DemoModel } from './demo-model.ts';
import { DesktopInput } from './desktop-input.ts';
import { typingEvents } from './keyboard.ts';
import { layOut } from './scene-layout.ts';

test('every character comes out as it was typed, by key or as Unicode', () => {
  const model = new DemoModel();
  const ignore = { copy: () => {}, paste: () => {}, hover: () => {} };
  const input = new DesktopInput(model, layOut(800, 600), ignore);
  const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');
  const text = `${printable}\n\tÄöß€ 😀`;
  for (const event of typingEvents(text)) input.take(event);
  assert.equal(model.state.text, text);
});
