import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError } from '../bytes.ts';
import {
  FrameAction,
  readFrameAcknowledge,
  readSurfaceCommands,
  type SurfaceCommand,
  SurfaceCommandType,
  writeFrameAcknowledge,
  writeSurfaceCommands,
} from './surface-commands.ts';

const u16 = fc.nat(0xffff);
const bits = fc.record(
  {
    kind: fc.constant('bits' as const),
    type: fc.constantFrom(SurfaceCommandType.setSurfaceBits, SurfaceCommandType.streamSurfaceBits),
    left: u16,
    top: u16,
    right: u16,
    bottom: u16,
    bitsPerPixel: fc.constantFrom(16, 24, 32),
    codecId: fc.nat(255),
    width: u16,
    height: u16,
    data: fc.uint8Array({ maxLength: 40 }),
  },
  { noNullPrototype: true },
);
const marker = fc.record(
  {
    kind: fc.constant('frameMarker' as const),
    action: fc.constantFrom(FrameAction.begin, FrameAction.end),
    frameId: fc.nat(),
  },
  { noNullPrototype: true },
);
const commands = fc.array(fc.oneof<fc.Arbitrary<SurfaceCommand>[]>(bits, marker), { maxLength: 5 });

test('commands come back', () => {
  fc.assert(
    fc.property(commands, (list) => {
      assert.deepEqual([...readSurfaceCommands(writeSurfaceCommands(list))], list);
    }),
    { numRuns: 200 },
  );
});

test('the optional header is passed over, and a marker may lack its number', () => {
  const head = [6, 0, 1, 0, 2, 0, 3, 0, 4, 0, 32, 1, 0, 7, 2, 0, 2, 0, 3, 0, 0, 0];
  const withHeader = Uint8Array.of(...head, ...new Array<number>(24).fill(9), 1, 2, 3);
  const [command] = [...readSurfaceCommands(withHeader)];
  assert.deepEqual(command.kind === 'bits' && [...command.data], [1, 2, 3]);
  assert.deepEqual(
    [...readSurfaceCommands(Uint8Array.of(4, 0, 1, 0))],
    [{ kind: 'frameMarker', action: FrameAction.end, frameId: 0 }],
  );
});

test('bytes that are no commands throw DecodeError', () => {
  const read = (bytes: Uint8Array) => {
    try {
      for (const command of readSurfaceCommands(bytes)) assert.ok(command.kind === 'frameMarker' || command.data);
    } catch (error) {
      assert.ok(error instanceof DecodeError, String(error));
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), read), { numRuns: 300 });
  fc.assert(
    fc.property(commands, fc.nat(200), fc.nat(255), fc.nat(200), (list, at, value, cut) => {
      const bytes = writeSurfaceCommands(list).slice(0, cut);
      if (bytes.length > 0) bytes[at % bytes.length] = value;
      read(bytes);
    }),
    { numRuns: 300 },
  );
});

test('a frame acknowledgement is the number of the frame', () => {
  assert.deepEqual(writeFrameAcknowledge(0x01020304), Uint8Array.of(4, 3, 2, 1));
  assert.equal(readFrameAcknowledge(Uint8Array.of(4, 3, 2, 1)), 0x01020304);
  assert.throws(() => readFrameAcknowledge(Uint8Array.of(1, 2)), DecodeError);
});
