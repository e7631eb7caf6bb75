import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError } from '../bytes.ts';
import { describeErrorInfo, readSetErrorInfo, writeSetErrorInfo } from './error-info.ts';
import {
  ControlAction,
  readControl,
  readFontPdu,
  readPersistentKeyList,
  readSynchronize,
  writeControl,
  writeFontList,
  writeFontMap,
  writePersistentKeyList,
  writeSynchronize,
} from './finalization.ts';
import { readMonitorLayout, writeMonitorLayout } from './monitor-layout.ts';
import { readRefreshRect, readSuppressOutput, writeRefreshRect, writeSuppressOutput } from './output-control.ts';
import { readSaveSessionInfo, type SaveSessionInfo, writeSaveSessionInfo } from './save-session-info.ts';
import { RedirectionFlag, readServerRedirection, writeServerRedirection } from './server-redirection.ts';

test('finalisation PDUs', () => {
  // bodies of the PDUs printed in MS-RDPBCGR 4.1.14 to 4.1.22
  assert.deepEqual(writeSynchronize(1002), Uint8Array.of(1, 0, 0xea, 3));
  assert.equal(readSynchronize(Uint8Array.of(1, 0, 0xea, 3)), 1002);
  assert.deepEqual(writeControl(ControlAction.cooperate), Uint8Array.of(4, 0, 0, 0, 0, 0, 0, 0));
  const granted = Uint8Array.of(2, 0, 0xef, 3, 0xea, 3, 0, 0);
  assert.deepEqual(readControl(granted), { action: ControlAction.grantedControl, grantId: 1007, controlId: 1002 });
  assert.deepEqual(writeControl(ControlAction.grantedControl, 1007, 1002), granted);
  assert.deepEqual(writeFontList(), Uint8Array.of(0, 0, 0, 0, 3, 0, 0x32, 0));
  assert.deepEqual(writeFontMap(), Uint8Array.of(0, 0, 0, 0, 3, 0, 4, 0));
  assert.deepEqual(readFontPdu(writeFontMap()), { count: 0, totalCount: 0, flags: 3, entrySize: 4 });
  const list = { entries: [1, 0, 2, 0, 0], totalEntries: [1, 0, 2, 0, 0], bitMask: 3, keys: [1n, 2n ** 63n, 3n] };
  assert.deepEqual(readPersistentKeyList(writePersistentKeyList(list)), list);
});

test('monitors, areas and error codes', () => {
  const monitors = [
    { left: -1920, top: 0, right: -1, bottom: 1079, flags: 0 },
    { left: 0, top: 0, right: 1279, bottom: 799, flags: 1 },
  ];
  assert.deepEqual(readMonitorLayout(writeMonitorLayout(monitors)), monitors);
  const area = { left: 1, top: 2, right: 3, bottom: 4 };
  assert.deepEqual(readSuppressOutput(writeSuppressOutput(area)), area);
  assert.equal(readSuppressOutput(writeSuppressOutput(null)), null);
  assert.deepEqual(readRefreshRect(writeRefreshRect([area, area])), [area, area]);
  assert.equal(readSetErrorInfo(writeSetErrorInfo(0x10f0)), 0x10f0);
  assert.match(describeErrorInfo(7), /denied/);
  assert.match(describeErrorInfo(0x1115), /encrypted/);
  assert.match(describeErrorInfo(0xabcdef), /0x00abcdef/);
});

test('session info: who logged on, and the cookie to come back', () => {
  const infos: SaveSessionInfo[] = [
    { kind: 'logon', domain: 'CORP', userName: 'élodie', sessionId: 2 },
    { kind: 'plainNotify' },
    {
      kind: 'extended',
      autoReconnect: { logonId: 2, secret: new Uint8Array(16).fill(7) },
      logonError: { notificationType: 0xfffffffe, notificationData: 2 },
    },
    { kind: 'extended', autoReconnect: null, logonError: null },
    { kind: 'unknown', infoType: 9, data: Uint8Array.of(1, 2) },
  ];
  for (const info of infos) assert.deepEqual(readSaveSessionInfo(writeSaveSessionInfo(info)), info);
  const short = new Uint8Array(4 + 4 + 52 + 4 + 512 + 4);
  short.set([4, 0, 0, 0, 0x41], 4);
  short.set([4, 0, 0, 0, 0x62], 60);
  short.set([5], 576);
  assert.deepEqual(readSaveSessionInfo(short), { kind: 'logon', domain: 'A', userName: 'b', sessionId: 5 });
});

test('a redirection survives, and may leave its pad out', () => {
  const { loadBalanceInfo, userName, password, targetNetAddress, targetNetAddresses, noRedirect } = RedirectionFlag;
  const redirection = {
    sessionId: 3,
    flags: loadBalanceInfo | userName | password | targetNetAddress | targetNetAddresses | noRedirect,
    targetNetAddress: '192.0.2.7',
    loadBalanceInfo: Uint8Array.of(0x43, 0x0d, 0x0a),
    userName: 'alice',
    password: Uint8Array.of(0x70, 0, 0, 0),
    targetNetAddresses: ['192.0.2.7', '2001:db8::7'],
  };
  const bytes = writeServerRedirection(redirection);
  assert.deepEqual(readServerRedirection(bytes), redirection);
  assert.deepEqual(readServerRedirection(bytes.subarray(0, -8)), redirection);
});

test('random and mutated bodies end in a structure or a DecodeError', () => {
  const readers = [
    readControl,
    readSetErrorInfo,
    readFontPdu,
    readMonitorLayout,
    readPersistentKeyList,
    readRefreshRect,
    readSaveSessionInfo,
    readServerRedirection,
    readSuppressOutput,
    readSynchronize,
  ];
  const good = [
    writeServerRedirection({ sessionId: 1, flags: RedirectionFlag.targetNetAddresses, targetNetAddresses: ['a'] }),
    writeSaveSessionInfo({ kind: 'logon', domain: 'd', userName: 'u', sessionId: 1 }),
    writePersistentKeyList({ entries: [1, 0, 0, 0, 0], totalEntries: [1, 0, 0, 0, 0], bitMask: 3, keys: [5n] }),
  ];
  const mutated = fc
    .tuple(fc.constantFrom(...good), fc.nat(40), fc.nat(255), fc.nat(700))
    .map(([bytes, at, value, length]) => bytes.with(at % bytes.length, value).subarray(0, length));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), mutated), (bytes) => {
      for (const read of readers)
        try {
          read(bytes);
        } catch (error) {
          assert.ok(error instanceof DecodeError);
        }
    }),
    { numRuns: 300 },
  );
});
