import { readFileSync } from 'node:fs';
import { parseIdentityFile } from '#evidence/node/age-keys.ts';
import { BundleReader } from '#evidence/node/bundle-reader.ts';
import { openBundleSource } from '#evidence/node/bundle-source.ts';
import { RecordType, type SessionRecord } from '#evidence/record.ts';
import {
  type ConfigBody,
  type MarkerBody,
  readChannelBody,
  readConfigBody,
  readMarkerBody,
} from '#evidence/record-body.ts';
import { applyScreenRecord } from '#evidence/replayed-screen.ts';
import { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';
import { replayTo } from '../../src/cli/replay-screen.ts';
import type { Picture } from './pixels.ts';

/** A recording, opened as an auditor does. */
export class Replay {
  readonly #reader: BundleReader;

  /** @param bundle folder; @param identityFile of a recipient of all streams */
  constructor(bundle: string, identityFile: string) {
    const identities = parseIdentityFile(readFileSync(identityFile, 'utf8'));
    this.#reader = new BundleReader(openBundleSource(bundle), identities);
  }

  /** The records of the screen, oldest first, and when each was made, in ms since 1970. */
  *#screenRecords(): Generator<{ record: SessionRecord; time: number }> {
    let startedAt: number | null = null;
    for (const { record } of this.#reader.records(['screen'])) {
      if (record.type === RecordType.config) startedAt ??= Date.parse(readConfigBody(record.body).startedAt);
      yield { record, time: (startedAt ?? 0) + record.time / 1000 };
    }
  }

  /**
   * The screen at each of some moments, decoded from the beginning.
   *
   * @param times ms since 1970, ascending
   * @returns a picture a moment, and how many bytes could not be decoded in all
   */
  screensAt(times: readonly number[]): { pictures: Picture[]; undecodableBytes: number } {
    const screen = new ScreenDecoder();
    const pictures: Picture[] = [];
    const take = () => pictures.push({ width: screen.width, height: screen.height, pixels: screen.pixels.slice() });
    for (const { record, time } of this.#screenRecords()) {
      while (pictures.length < times.length && times[pictures.length] < time) take();
      applyScreenRecord(screen, record);
    }
    while (pictures.length < times.length) take();
    return { pictures, undecodableBytes: screen.undecodableBytes };
  }

  /**
   * The screen at a moment, decoded from the keyframe before it.
   * @param time ms since 1970
   */
  soughtAt(time: number): Picture {
    const { width, height, pixels } = replayTo(this.#reader, this.#sessionTime(time)).screen;
    return { width, height, pixels };
  }

  /** Whether seeking to a moment begins with a keyframe. @param time ms since 1970 */
  hasKeyframeBefore(time: number): boolean {
    return this.#reader.findKeyframe(this.#sessionTime(time)) !== null;
  }

  /** µs of the session's clock. @param time ms since 1970 */
  #sessionTime(time: number): number {
    return (time - Date.parse(this.#reader.config(0).startedAt)) * 1000;
  }

  /** The last config record: what client and server settled on. */
  get config(): ConfigBody {
    const configs = [...this.#screenRecords()].filter(({ record }) => record.type === RecordType.config);
    return readConfigBody(configs.at(-1)!.record.body);
  }

  /** How many seconds after its start the recording was at a moment. @param time ms since 1970 */
  secondsAt(time: number): number {
    for (const first of this.#screenRecords()) return (time - first.time + first.record.time / 1000) / 1000;
    throw new Error('the recording has no screen');
  }

  /** All that passed a channel in one direction, as text in which every other byte of UTF-16 is left out. */
  channelText(channel: string): string {
    let text = '';
    for (const { record } of this.#reader.records(['channels'])) {
      const body = readChannelBody(record.body);
      if (body.channel === channel) text += Buffer.from(body.data).toString('latin1').replaceAll('\0', '');
    }
    return text;
  }

  /** What the screen's markers tell, in order. */
  markers(): MarkerBody[] {
    const markers: MarkerBody[] = [];
    for (const { record } of this.#screenRecords()) {
      if (record.type === RecordType.marker) markers.push(readMarkerBody(record.body));
    }
    return markers;
  }
}
