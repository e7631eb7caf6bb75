import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeLiveFrame, type LiveEvent } from '#contract/live-frames.ts';
import { LivePicture } from '#contract/live-picture.ts';
import { RecordType, type SessionRecord } from '#evidence/record.ts';
import { writeJsonBody } from '#evidence/record-body.ts';
import { BulkHistory } from '#rdp/bulk/bulk-history.ts';
import { MppcEncoder } from '#rdp/bulk/mppc-encoder.ts';
import { rgbx } from '#rdp/codec/pixel.ts';
import { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';
import { BitmapFlag, writeBitmapUpdate } from '#rdp/pdu/bitmap-update.ts';
import { writeFastPathInput } from '#rdp/pdu/fast-path-input.ts';
import { FastPathUpdateCode, writeFastPathUpdate, writeFastPathUpdates } from '#rdp/pdu/fast-path-output.ts';
import { PointerFlag } from '#rdp/pdu/input.ts';
import { LiveScreen } from './live-screen.ts';

/** An update that paints a rectangle in one colour. */
function paintUpdate(left: number, top: number, width: number, height: number, color: number): Uint8Array {
  const data = new Uint8Array(new Uint32Array(width * height).fill(rgbx(color, color >> 1, 255 - color)).buffer);
  const area = { left, top, right: left + width - 1, bottom: top + height - 1, width, height };
  return writeBitmapUpdate([{ ...area, bitsPerPixel: 32, flags: BitmapFlag.noCompressionHeader, data }]);
}

function paint(...rectangle: Parameters<typeof paintUpdate>): Uint8Array {
  return writeFastPathUpdate(FastPathUpdateCode.bitmap, paintUpdate(...rectangle))[0];
}

class Fixture {
  readonly events: LiveEvent[] = [];
  readonly live = new LiveScreen((event) => this.events.push(event));
  readonly decoder: ScreenDecoder;
  #seq = 0;

  constructor(width: number, height: number, history = BulkHistory.empty()) {
    this.decoder = new ScreenDecoder(width, height);
    this.live.begin(this.decoder, history, false);
    this.live.show(-1, 0);
  }

  play(type: SessionRecord['type'], body: Uint8Array): number {
    const seq = this.#seq++;
    this.live.apply({ type, flags: 0, time: seq * 1000, seq, body });
    return seq;
  }

  /** The viewer's next frame, applied. */
  async take(viewer: number, picture: LivePicture): Promise<ReturnType<typeof decodeLiveFrame> | null> {
    const bytes = this.live.take(viewer);
    if (bytes === null) return null;
    const frame = decodeLiveFrame(bytes);
    await picture.apply(frame);
    return frame;
  }
}

describe('a live screen', () => {
  test('shows a late joiner all of it, and then what changed, merged however often it did', async () => {
    const screen = new Fixture(200, 100);
    for (let i = 0; i < 20; i++) screen.play(RecordType.serverPdu, paint(i * 8, i * 4, 16, 8, i * 10));
    screen.live.join(1, 19);
    const picture = new LivePicture();
    const first = await screen.take(1, picture);
    assert.deepEqual([first?.isWhole, first?.isExact, first?.seq, first?.timeUs], [true, true, 19, 19_000]);
    assert.deepEqual(picture.pixels, screen.decoder.pixels);
    assert.equal(await screen.take(1, picture), null);
    for (let i = 0; i < 1000; i++) screen.play(RecordType.serverPdu, paint(64, 32, 8, 8, i & 255));
    const second = await screen.take(1, picture);
    assert.deepEqual([second?.isWhole, second?.isExact, second?.seq], [false, true, 1019]);
    assert.deepEqual(second?.rectangles, [{ left: 64, top: 32, width: 32, height: 32 }]);
    assert.deepEqual(picture.pixels, screen.decoder.pixels);
  });

  test('plays what comes in bulk compression, from where the history stands', async () => {
    const server = new MppcEncoder();
    const compressed = (color: number) => {
      const { flags: compressionFlags, data } = server.encode(paintUpdate(0, 0, 16, 16, color));
      return writeFastPathUpdates([{ code: FastPathUpdateCode.bitmap, fragmentation: 0, compressionFlags, data }]);
    };
    const history = BulkHistory.empty();
    history.undo(compressed(7));
    const screen = new Fixture(64, 64, BulkHistory.restore(history.save()));
    screen.play(RecordType.serverPdu, compressed(9));
    const expected = new ScreenDecoder(64, 64);
    expected.apply(paint(0, 0, 16, 16, 9));
    assert.deepEqual(screen.decoder.pixels, expected.pixels);
  });

  test('shows nothing before the record that tells of the viewer, nor while it begins anew', async () => {
    const screen = new Fixture(64, 64);
    screen.play(RecordType.serverPdu, paint(0, 0, 8, 8, 1));
    screen.live.join(1, 1);
    const picture = new LivePicture();
    assert.equal(await screen.take(1, picture), null);
    screen.play(RecordType.marker, writeJsonBody({ kind: 'observer-joined', detail: 'somebody' }));
    assert.equal((await screen.take(1, picture))?.seq, 1);
    const anew = new ScreenDecoder(32, 32);
    screen.live.begin(anew, BulkHistory.empty(), false);
    assert.equal(await screen.take(1, picture), null);
    screen.play(RecordType.serverPdu, paint(0, 0, 8, 8, 7));
    screen.live.show(-1, 0);
    const frame = await screen.take(1, picture);
    assert.deepEqual([frame?.isWhole, frame?.width, frame?.number], [true, 32, 1]);
    assert.deepEqual(picture.pixels, anew.pixels);
  });

  test('splits a screen that is too large for a frame, and says when the picture is exact', async () => {
    const [width, height] = [3840, 2160];
    const screen = new Fixture(width, height);
    for (let i = 0; i < 30; i++) screen.play(RecordType.serverPdu, paint(i * 120, i * 70, 64, 32, i * 8));
    screen.live.join(1, 0);
    const picture = new LivePicture();
    const frames = [];
    do {
      frames.push(await screen.take(1, picture));
      screen.play(RecordType.serverPdu, paint(frames.length, 0, 8, 8, frames.length));
    } while (!picture.isExact);
    assert.deepEqual(
      frames.map((frame) => [frame?.isWhole, frame?.isExact]),
      [
        [true, false],
        [false, true],
      ],
    );
    while (await screen.take(1, picture));
    assert.deepEqual(picture.pixels, screen.decoder.pixels);
  });

  test('two viewers are shown the same at their own pace; one that has left is shown nothing', async () => {
    const screen = new Fixture(64, 64);
    const [quick, slow] = [new LivePicture(), new LivePicture()];
    screen.live.join(1, 0);
    screen.live.join(2, 0);
    for (let i = 0; i < 5; i++) {
      screen.play(RecordType.serverPdu, paint(i * 12, i * 12, 8, 8, i * 40));
      await screen.take(1, quick);
    }
    await screen.take(2, slow);
    assert.deepEqual(slow.pixels, quick.pixels);
    assert.equal(slow.seq, quick.seq);
    screen.live.leave(2);
    screen.play(RecordType.serverPdu, paint(0, 0, 8, 8, 99));
    assert.equal(screen.live.take(2), null);
    assert.equal((await screen.take(1, quick))?.number, 5);
  });

  test('takes of what the person did where the pointer is, and tells of markers', async () => {
    const screen = new Fixture(64, 64);
    screen.play(RecordType.marker, writeJsonBody({ kind: 'reconnected' }));
    screen.live.join(1, 0);
    const picture = new LivePicture();
    await screen.take(1, picture);
    assert.deepEqual(picture.pointer, { shown: 'default', position: null, image: null });
    screen.play(
      RecordType.clientPdu,
      writeFastPathInput([{ kind: 'scancode', code: 0x1e, release: false, extended: false, extended1: false }]),
    );
    assert.equal(await screen.take(1, picture), null);
    screen.play(RecordType.clientPdu, writeFastPathInput([{ kind: 'mouse', flags: PointerFlag.move, x: 33, y: 20 }]));
    const moved = await screen.take(1, picture);
    assert.deepEqual([moved?.rectangles, picture.pointer.position], [[], { x: 33, y: 20 }]);
    assert.deepEqual(screen.events, [{ type: 'marker', kind: 'reconnected', time_us: 0, seq: 0 }]);
  });
});
