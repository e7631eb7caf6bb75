import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError } from '../bytes.ts';
import {
  ClipboardCapability,
  ClipboardFormat,
  ClipboardMessageFlag,
  ClipboardMessageType,
  readClipboardCapabilities,
  readClipboardId,
  readClipboardMessage,
  readFileContentsRequest,
  readFileContentsResponse,
  readFormatList,
  writeClipboardCapabilities,
  writeClipboardId,
  writeClipboardMessage,
  writeFileContentsRequest,
  writeFileContentsResponse,
  writeFormatList,
} from './clipboard.ts';

test("the specification's capabilities and format list", () => {
  // MS-RDPECLIP 4.1.1 and 4.1.4
  const capabilities = [0x07, 0, 0, 0, 0x10, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0x0c, 0, 2, 0, 0, 0, 0x0e, 0, 0, 0];
  const { useLongFormatNames, streamFileClip, fileClipNoFilePaths } = ClipboardCapability;
  const message = readClipboardMessage(Uint8Array.from(capabilities));
  assert.equal(message.type, ClipboardMessageType.capabilities);
  assert.equal(readClipboardCapabilities(message.data), useLongFormatNames | streamFileClip | fileClipNoFilePaths);
  assert.deepEqual([...writeClipboardCapabilities(0x0e)], capabilities);
  const list = Uint8Array.from([
    ...[0x02, 0, 0, 0, 0x24, 0, 0, 0, 0x04, 0xc0, 0, 0],
    ...[0x4e, 0, 0x61, 0, 0x74, 0, 0x69, 0, 0x76, 0, 0x65, 0, 0, 0],
    ...[0x03, 0, 0, 0, 0, 0, 0x08, 0, 0, 0, 0, 0, 0x11, 0, 0, 0, 0, 0],
  ]);
  const formats = readFormatList(readClipboardMessage(list), true);
  assert.deepEqual(formats, [
    { id: 0xc004, name: 'Native' },
    { id: 3, name: '' },
    { id: 8, name: '' },
    { id: 17, name: '' },
  ]);
  assert.deepEqual(writeFormatList(formats, true), list);
});

test('short names, in ASCII and in UTF-16', () => {
  const formats = [
    { id: ClipboardFormat.unicodeText, name: '' },
    { id: 0xc001, name: 'HTML Format' },
  ];
  assert.deepEqual(readFormatList(readClipboardMessage(writeFormatList(formats, false)), false), formats);
  const ascii = new Uint8Array(36);
  ascii.set([1, 0xc0, 0, 0, 0x48, 0x54]);
  assert.deepEqual(readFormatList({ type: 2, flags: ClipboardMessageFlag.asciiNames, data: ascii }, false), [
    { id: 0xc001, name: 'HT' },
  ]);
});

test('requests, locks and file contents', () => {
  const request = readClipboardMessage(writeClipboardId(ClipboardMessageType.formatDataRequest, 13));
  assert.equal(readClipboardId(request.data), 13);
  for (const extra of [{}, { clipDataId: 9 }]) {
    const file = { streamId: 2, index: 0, flags: 2, position: 2n ** 40n, count: 65536, ...extra };
    assert.deepEqual(readFileContentsRequest(readClipboardMessage(writeFileContentsRequest(file)).data), file);
  }
  const good = readClipboardMessage(writeFileContentsResponse(2, Uint8Array.of(1, 2)));
  assert.deepEqual(readFileContentsResponse(good.data), { streamId: 2, contents: Uint8Array.of(1, 2) });
  const bad = readClipboardMessage(writeFileContentsResponse(2, null));
  assert.equal(bad.flags, ClipboardMessageFlag.responseFail);
  assert.equal(readFileContentsResponse(bad.data).streamId, 2);
});

test('bytes after the data are ignored: some senders pad', () => {
  const message = readClipboardMessage(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9));
  assert.deepEqual(message, { type: ClipboardMessageType.monitorReady, flags: 0, data: new Uint8Array(0) });
  assert.deepEqual(writeClipboardMessage(1), Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
});

test('random messages end in structures or a DecodeError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const readers = [
        readClipboardMessage,
        readClipboardCapabilities,
        readClipboardId,
        readFileContentsRequest,
        readFileContentsResponse,
        (data: Uint8Array) => readFormatList({ type: 2, flags: 0, data }, true),
        (data: Uint8Array) => readFormatList({ type: 2, flags: 4, data }, false),
      ];
      for (const read of readers)
        try {
          read(bytes);
        } catch (error) {
          assert.ok(error instanceof DecodeError);
        }
    }),
  );
});
