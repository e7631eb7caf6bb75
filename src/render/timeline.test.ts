import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Timeline } from './timeline.ts';

const none = { cuts: [], captions: [] };

test('a frame shows what its interval ends with', () => {
  const timeline = new Timeline({ ...none, frameRate: 10, end: 1_000_000 });
  assert.equal(timeline.slot(0), 0);
  assert.equal(timeline.slot(99_999), 0);
  assert.equal(timeline.slot(100_000), 1);
  assert.equal(timeline.slot(1_000_000), 10);
  assert.equal(timeline.frames, 11);
});

test('cuts stop the video until they are over', () => {
  const cuts = [
    { from: 2e6, to: 12e6 },
    { from: 13e6, to: 20e6 },
  ];
  const timeline = new Timeline({ cuts, captions: [], frameRate: 1, end: 21e6 });
  const slots = [0, 1e6, 2e6, 7e6, 12e6, 13e6, 19e6, 20e6, 21e6].map((time) => timeline.slot(time));
  assert.deepEqual(slots, [0, 1, 2, 2, 2, 3, 3, 3, 4]);
  assert.equal(timeline.frames, 5);
});

test('captions take two seconds each; those of the same moment are told together', () => {
  const captions = [
    { time: 10, text: 'one' },
    { time: 20, text: 'two' },
    { time: 1e6, text: 'three' },
  ];
  const timeline = new Timeline({ cuts: [], captions, frameRate: 5, end: 2e6 });
  assert.deepEqual(timeline.captionsBefore(0), ['one', 'two']);
  assert.deepEqual(timeline.captionsBefore(5), ['three']);
  assert.equal(timeline.captionsBefore(1), null);
  assert.equal(timeline.captionFrames, 10);
  assert.equal(timeline.frames, 11 + 2 * 10);
});

test('at any rate the video is as long as the session, to a frame', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 86_400_000_000 }), (frameRate, end) => {
      const { frames } = new Timeline({ ...none, frameRate, end });
      const longer = frames / frameRate - end / 1e6;
      assert.ok(longer > 0 && longer <= 1 / frameRate + 1e-6);
    }),
  );
});

test('whatever is cut, slots do not go back', () => {
  const cut = fc.tuple(fc.integer({ min: 1, max: 5e6 }), fc.integer({ min: 1, max: 5e6 }));
  fc.assert(
    fc.property(fc.array(cut, { maxLength: 20 }), fc.array(fc.integer({ min: 0, max: 1e8 })), (steps, times) => {
      let at = 0;
      const cuts = steps.map(([before, length]) => {
        const from = at + before;
        at = from + length;
        return { from, to: at };
      });
      const timeline = new Timeline({ cuts, captions: [], frameRate: 30, end: 1e8 });
      const kept =
        1e8 - cuts.reduce((sum, { from, to }) => sum + Math.max(0, Math.min(to, 1e8) - Math.min(from, 1e8)), 0);
      assert.equal(timeline.screenFrames, Math.floor((kept * 30) / 1e6) + 1);
      const slots = times.sort((a, b) => a - b).map((time) => timeline.slot(time));
      for (let i = 1; i < slots.length; i++) assert.ok(slots[i] >= slots[i - 1]);
    }),
  );
});
