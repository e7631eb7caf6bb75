import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { writeCapturedState } from '#contract/captured-state.ts';
import { type ErrorCode, ServiceError } from '#contract/errors.ts';
import { decodeLiveFrame, type LiveEvent } from '#contract/live-frames.ts';
import { LivePicture } from '#contract/live-picture.ts';
import { RecordType, type SessionRecord, writeRecord } from '#evidence/record.ts';
import { writeJsonBody } from '#evidence/record-body.ts';
import { applyScreenRecord } from '#evidence/replayed-screen.ts';
import { BulkHistory } from '#rdp/bulk/bulk-history.ts';
import { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';
import { HEIGHT, serverPdu, WIDTH } from '../../../../test/support/recorded-session.ts';
import type { RecordFollower, ScreenSoFar } from '../followed-records.ts';
import { LiveView } from './live-view.ts';

/** A recording in memory: all of its records are in the present run. */
class RecordingInMemory {
  readonly screen = new ScreenDecoder();
  readonly records: SessionRecord[] = [];
  follower: RecordFollower | null = null;
  state: Uint8Array | null = null;
  isWhole = true;
  /** Whether `state` reflects all there is. */
  isStored = false;
  loads = 0;

  constructor() {
    this.add(RecordType.config, {
      ...{ version: 1, session: '', startedAt: '', width: WIDTH, height: HEIGHT, depth: 32 },
      ...{ codecs: {}, profile: 'bitmaps', versions: {} },
    });
  }

  follow(follower: RecordFollower | null): void {
    this.follower = follower;
  }

  screenSoFar(): ScreenSoFar {
    this.loads++;
    const { state } = this;
    const records = Buffer.concat(this.records.map(writeRecord));
    return {
      state: state && { read: async () => state, release() {} },
      runs: this.isStored ? [] : [async () => ({ records, isWhole: this.isWhole })],
      nextSeq: this.records.length,
      lastTime: this.records.length - 1,
    };
  }

  add(type: SessionRecord['type'], body: object | Uint8Array): SessionRecord {
    const seq = this.records.length;
    const bytes = body instanceof Uint8Array ? body : writeJsonBody(body as never);
    const record = { type, flags: 0, time: seq, seq, body: bytes };
    this.records.push(record);
    applyScreenRecord(this.screen, record);
    return record;
  }

  /** Shows so many pictures, which become durable together. */
  show(pictures: number): void {
    const records = Array.from({ length: pictures }, () =>
      this.add(RecordType.serverPdu, serverPdu(this.records.length)),
    );
    this.follower?.durable(records);
  }

  /** So many PDUs of a megabyte that no decoder reads become durable together. */
  flood(megabytes: number): void {
    const pdu = new Uint8Array(1024 * 1024).fill(3);
    this.follower?.durable(Array.from({ length: megabytes }, () => this.add(RecordType.serverPdu, pdu)));
  }
}

/** A view with one viewer. */
class Watched {
  readonly picture = new LivePicture();
  readonly events: LiveEvent[] = [];
  readonly ended: Promise<ServiceError | null>;
  readonly view: LiveView;
  readonly #viewer: number;
  #frame = Promise.withResolvers<Uint8Array>();

  constructor(recording: RecordingInMemory, fromSeq = 0) {
    const { promise, resolve } = Promise.withResolvers<ServiceError | null>();
    this.ended = promise;
    this.view = new LiveView(recording, { intervalMs: 0, onEnd: () => {} });
    this.#viewer = this.view.join(fromSeq, {
      frame: (bytes) => this.#frame.resolve(bytes),
      event: (event) => this.events.push(event),
      ended: resolve,
    });
  }

  /** Takes frames until the picture is that of a record. */
  async until(seq: number): Promise<void> {
    while (this.picture.seq < seq) {
      this.#frame = Promise.withResolvers();
      this.view.next(this.#viewer);
      await this.picture.apply(decodeLiveFrame(await this.#frame.promise));
    }
  }
}

describe('a live view', () => {
  test('begins anew from the journal when more comes than it may hold', async () => {
    const recording = new RecordingInMemory();
    recording.show(10);
    const watched = new Watched(recording);
    await watched.until(10);
    assert.equal(recording.loads, 1);
    recording.flood(20);
    recording.show(5);
    await watched.until(35);
    assert.equal(recording.loads, 2);
    assert.deepEqual(watched.picture.pixels, recording.screen.pixels);
    recording.show(5);
    await watched.until(40);
    assert.deepEqual(watched.picture.pixels, recording.screen.pixels);
    assert.deepEqual([recording.loads, watched.events], [2, []]);
    await watched.view.close();
    assert.equal(recording.follower, null);
  });

  test('shows what the state reflects, when nothing has come since', async () => {
    const recording = new RecordingInMemory();
    recording.show(10);
    const state = zstdCompressSync(recording.screen.save());
    recording.state = writeCapturedState(BulkHistory.empty().save(), state);
    recording.isStored = true;
    const watched = new Watched(recording, 5);
    await watched.until(10);
    assert.deepEqual([watched.picture.seq, watched.picture.timeUs], [10, 10]);
    assert.deepEqual(watched.picture.pixels, recording.screen.pixels);
    await watched.view.close();
  });

  test('says when records are missing, to those who come later too', async () => {
    const recording = new RecordingInMemory();
    recording.isWhole = false;
    recording.show(10);
    const watched = new Watched(recording);
    await watched.until(10);
    assert.deepEqual([recording.loads, watched.events], [3, [{ type: 'incomplete' }]]);
    const late: LiveEvent[] = [];
    watched.view.join(0, { frame: () => {}, event: (event) => late.push(event), ended: () => {} });
    assert.deepEqual(late, [{ type: 'incomplete' }]);
    await watched.view.close();
  });

  test('tells its viewers when it cannot go on', async () => {
    const recording = new RecordingInMemory();
    recording.state = writeCapturedState(new Uint8Array(0), new Uint8Array(100).fill(7));
    const failure = await new Watched(recording).ended;
    assert.ok(failure instanceof ServiceError);
    assert.equal(failure.code, 'internal' satisfies ErrorCode);
  });
});
