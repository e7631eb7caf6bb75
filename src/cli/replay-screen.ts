/** Replays the screen of a recording, from its start or from the keyframe nearest to a time. */
import type { BundleReader } from '#evidence/node/bundle-reader.ts';
import { applyScreenRecord } from '#evidence/replayed-screen.ts';
import { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';
import { player } from './player.ts';

/** The screen at a moment of the recording. */
export interface ReplayedMoment {
  readonly screen: ScreenDecoder;
  /** µs of the session's clock, and seq, of the last record applied; -1 before the first. */
  readonly time: number;
  readonly seq: number;
}

/**
 * The screen after every record up to `time`: the keyframe nearest before it is restored and the records since are
 * applied, which gives the same pixels as playing from the start.
 * @param time µs of the session's clock; beyond the end, the last screen
 * @throws FormatError when the recording cannot be read
 */
export function replayTo(reader: BundleReader, time: number): ReplayedMoment {
  const position = reader.findKeyframe(time);
  if (position === null) return playOn(reader, startScreen(reader), { chunk: 0, offset: 0 }, time);
  const { state, png } = reader.keyframe(position);
  const screen = ScreenDecoder.restore(state, player.readPng(png).pixels);
  const from = { chunk: position.screenChunk, offset: position.screenOffset };
  const moment = playOn(reader, screen, from, time);
  return moment.seq < 0 ? { screen, time: position.time, seq: position.seq } : moment;
}

/** The screen as it is before the first record: of the size that the first config says. */
export function startScreen(reader: BundleReader): ScreenDecoder {
  const screen = new ScreenDecoder();
  screen.configure(reader.config(0));
  return screen;
}

function playOn(
  reader: BundleReader,
  screen: ScreenDecoder,
  from: { chunk: number; offset: number },
  until: number,
): ReplayedMoment {
  let last = { time: -1, seq: -1 };
  for (const { record } of reader.records(['screen'], { from })) {
    if (record.time > until) break;
    applyScreenRecord(screen, record);
    last = { time: record.time, seq: record.seq };
  }
  return { screen, ...last };
}

/**
 * Plays from the start and stops at each whole interval in which something happened, and at the end.
 * @param interval µs
 * @returns the screen, the same one each time, and the interval's number: the time is `number * interval`, except of the
 *   last, which may be earlier
 */
export function* replayFrames(
  reader: BundleReader,
  interval: number,
): Generator<{ screen: ScreenDecoder; number: number; time: number; end: number }, void, undefined> {
  const screen = startScreen(reader);
  const end = reader.leavesOf('screen').reduce((latest, leaf) => Math.max(latest, leaf.lastTime), 0);
  let number = 0;
  let changed = false;
  for (const { record } of reader.records(['screen'])) {
    const next = Math.ceil(record.time / interval);
    if (next > number && changed) yield { screen, number, time: number * interval, end };
    if (next > number) changed = false;
    number = next;
    applyScreenRecord(screen, record);
    changed = true;
  }
  if (changed) yield { screen, number, time: end, end };
}
