import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError } from '../bytes.ts';
import { BulkFlag, BulkType } from '../pdu/bulk-flags.ts';
import { FastPathUpdateCode, Fragmentation, writeFastPathUpdates } from '../pdu/fast-path-output.ts';
import { writeDomainPdu } from '../pdu/mcs-domain.ts';
import { ShareDataType, writeShareData } from '../pdu/share-data.ts';
import { BulkHistory } from './bulk-history.ts';
import { MppcEncoder } from './mppc-encoder.ts';

const FLUSH = BulkType.mppc64k | BulkFlag.flushed;
const letters = (seed: number) => Uint8Array.from({ length: 400 }, (_, i) => 0x41 + ((i * seed) % 26));

const fast = (...updates: { compressionFlags: number; data: Uint8Array }[]) =>
  writeFastPathUpdates(
    updates.map((update) => ({ code: FastPathUpdateCode.bitmap, fragmentation: Fragmentation.first, ...update })),
  );
const slow = (...shares: Uint8Array[]) =>
  writeDomainPdu({ kind: 'sendDataIndication', initiator: 1002, channelId: 1003, payload: Buffer.concat(shares) });
const share = (data: Uint8Array, flags = 0) => {
  const bytes = writeShareData(0x103ea, 1002, ShareDataType.update, data);
  bytes[15] = flags;
  return bytes;
};

/** What a server would send compressed, and the same without. */
function compressed(encoder: MppcEncoder, plain: Uint8Array) {
  const { flags, data } = encoder.encode(plain);
  return { compressionFlags: flags, data: data.slice() };
}

test('fast and slow path share one history; nothing of the compression is left', () => {
  const encoder = new MppcEncoder();
  const history = BulkHistory.empty();
  const first = letters(1);
  const onFastPath = compressed(encoder, first);
  assert.deepEqual(history.undo(fast(onFastPath)), fast({ compressionFlags: 0, data: first }));
  const onSlowPath = compressed(encoder, first);
  assert.ok(onSlowPath.data.length < 20, 'refers to what the fast path carried');
  const bytes = share(onSlowPath.data, onSlowPath.compressionFlags);
  const undone = share(first);
  // What the header says of the size without compression stays as the server wrote it.
  undone.set(bytes.subarray(12, 14), 12);
  assert.deepEqual(history.undo(slow(bytes)), slow(undone));
});

test('the PDU that was given stays as it is, whatever kind of view it is', () => {
  for (const view of [(bytes: Uint8Array) => Uint8Array.from(bytes), (bytes: Uint8Array) => Buffer.from(bytes)]) {
    const encoder = new MppcEncoder();
    const { compressionFlags, data } = compressed(encoder, letters(3));
    for (const pdu of [slow(share(data, compressionFlags)), fast({ compressionFlags, data })]) {
      const given = view(pdu);
      BulkHistory.empty().undo(given);
      assert.equal(Buffer.compare(given, pdu), 0);
    }
  }
});

test('PDUs that say nothing of compression are given back as they are, and leave the history alone', () => {
  const encoder = new MppcEncoder();
  const history = BulkHistory.empty();
  const packets = [letters(3), letters(3)].map((plain) => fast(compressed(encoder, plain)));
  assert.deepEqual(history.undo(packets[0]), fast({ compressionFlags: 0, data: letters(3) }));
  for (const pdu of [fast({ compressionFlags: 0, data: letters(5) }), slow(share(letters(7))), Uint8Array.of(3, 0)]) {
    assert.equal(history.undo(pdu), pdu);
  }
  assert.deepEqual(history.undo(packets[1]), fast({ compressionFlags: 0, data: letters(3) }));
});

test('several updates of a frame, several PDUs of a payload, each by itself', () => {
  const encoder = new MppcEncoder();
  const history = BulkHistory.empty();
  const [a, b, c] = [letters(3), letters(5), letters(7)];
  const raw = { compressionFlags: 0, data: b };
  assert.deepEqual(
    history.undo(fast(compressed(encoder, a), raw, compressed(encoder, c))),
    fast({ compressionFlags: 0, data: a }, raw, { compressionFlags: 0, data: c }),
  );
  const again = compressed(encoder, a);
  const undone = share(a);
  const written = share(again.data, again.compressionFlags);
  undone.set(written.subarray(12, 14), 12);
  assert.deepEqual(history.undo(slow(share(b), written, share(c))), slow(share(b), undone, share(c)));
});

test('a flush without data begins anew, and is not left in the PDU', () => {
  const encoder = new MppcEncoder();
  const history = BulkHistory.empty();
  history.undo(fast(compressed(encoder, letters(3))));
  const nothing = new Uint8Array(0);
  assert.deepEqual(
    history.undo(fast({ compressionFlags: FLUSH, data: nothing })),
    fast({ compressionFlags: 0, data: nothing }),
  );
  // 'A', then three bytes that nobody wrote since.
  const packet = { compressionFlags: BulkType.mppc64k | BulkFlag.compressed, data: Uint8Array.of(0x41, 0xd0, 0, 0) };
  assert.deepEqual(history.undo(fast(packet)), fast({ compressionFlags: 0, data: Uint8Array.of(0x41, 0, 0, 0) }));
});

test('what cannot be undone stays as it came, until the history is known again', () => {
  const encoder = new MppcEncoder();
  const history = BulkHistory.empty();
  const bad = fast({ compressionFlags: BulkFlag.compressed | BulkType.xcrush, data: letters(3) });
  assert.equal(Buffer.compare(history.undo(bad), bad), 0);
  const good = fast(compressed(encoder, letters(3)));
  assert.deepEqual(history.undo(good), good);
  history.begin('another connection');
  assert.deepEqual(history.undo(good), fast({ compressionFlags: 0, data: letters(3) }));
});

test('what would not fit its PDU uncompressed stays as it came, and the history goes on', () => {
  const encoder = new MppcEncoder();
  const history = BulkHistory.empty();
  const large = fast(compressed(encoder, new Uint8Array(40_000)));
  assert.equal(history.undo(large), large);
  const packet = compressed(encoder, new Uint8Array(17_000));
  const tooLarge = slow(share(packet.data, packet.compressionFlags));
  assert.equal(history.undo(tooLarge), tooLarge);
  assert.deepEqual(
    history.undo(fast(compressed(encoder, letters(9)))),
    fast({ compressionFlags: 0, data: letters(9) }),
  );
});

test('a history goes on from its saved state', () => {
  const encoder = new MppcEncoder();
  const history = BulkHistory.empty();
  history.begin('one');
  history.undo(fast(compressed(encoder, letters(3))));
  const packet = fast(compressed(encoder, letters(3)));
  const restored = BulkHistory.restore(history.save());
  restored.begin('one');
  assert.deepEqual(restored.undo(packet), history.undo(packet));
  for (const bytes of [[7], [2, 0, 65], [0, 0, 9, 0, 0, 0, 0]]) {
    assert.throws(() => BulkHistory.restore(Uint8Array.from(bytes)), DecodeError);
  }
});

test('a history that is not known gives PDUs back as they are, until it is flushed or another connection begins', () => {
  const packet = fast(compressed(new MppcEncoder(), letters(3)));
  const plain = fast({ compressionFlags: 0, data: letters(3) });
  const flushed = BulkHistory.lost();
  assert.equal(Buffer.compare(flushed.undo(packet), packet), 0);
  flushed.undo(fast({ compressionFlags: FLUSH, data: new Uint8Array(0) }));
  assert.deepEqual(flushed.undo(packet), plain);
  const begun = BulkHistory.restore(BulkHistory.lost().save());
  begun.begin('next');
  assert.deepEqual(begun.undo(packet), plain);
});

test('no bytes make it throw', () => {
  const frame = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .array(
        fc.record({ compressionFlags: fc.integer({ min: 0, max: 255 }), data: fc.uint8Array({ maxLength: 60 }) }),
        { maxLength: 4 },
      )
      .map((updates) => fast(...updates)),
    fc
      .array(
        fc.tuple(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 0, max: 255 })).map((of) => share(...of)),
        { maxLength: 4 },
      )
      .map((shares) => slow(...shares)),
  );
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), (frames) => {
      const history = BulkHistory.empty();
      for (const pdu of frames) history.undo(pdu);
    }),
    { numRuns: 400 },
  );
});
