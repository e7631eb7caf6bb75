import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSettings, DEFAULT_SETTINGS, type RenderSettings } from './settings.ts';

const check = (settings: Partial<RenderSettings>) => () => checkSettings({ ...DEFAULT_SETTINGS, ...settings });

test('the defaults, and what is in range', () => {
  check({})();
  check({ frameRate: 1, bitRate: 10_000, cutIdle: 0 })();
  check({ frameRate: 60, quality: 'lossless' })();
});

test('what is out of range is named', () => {
  for (const frameRate of [0, 61, 29.97, Number.NaN]) assert.throws(check({ frameRate }), /frame rate .*1 to 60/);
  for (const bitRate of [0, 9_999, 2e9, Number.NaN]) assert.throws(check({ bitRate }), /bit rate/);
  for (const cutIdle of [-1, 1e6, Number.NaN]) assert.throws(check({ cutIdle }), /idle time/);
});

test('lossless goes with nothing that loses', () => {
  const lossless = { quality: 'lossless' } as const;
  assert.throws(check({ ...lossless, bitRate: 1e6 }), /bit rate/);
  assert.throws(check({ ...lossless, resolution: '720p' }), /resolution/);
  assert.throws(check({ ...lossless, acceleration: 'nvenc' }), /software/);
});
