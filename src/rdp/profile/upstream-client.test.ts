import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClientInfo, readClientInfo, writeClientInfo } from '../pdu/client-info.ts';
import { readClientCoreData, writeClientCoreData } from '../pdu/gcc-client-core.ts';
import { rewriteClientCore, rewriteClientInfo, wantsBulkCompression } from './upstream-client.ts';

const logon = { domain: '', userName: 'desk', password: 'sécret', alternateShell: '', workingDir: '' };

test('the graphics pipeline and other ways around the recording are not announced', () => {
  const bytes = new Uint8Array(216);
  bytes.set([0x04, 0x00, 0x08, 0x00, 0x00, 0x05, 0x20, 0x03], 0);
  bytes.set([0xff, 0x0f], 140);
  const core = rewriteClientCore(readClientCoreData(bytes));
  assert.equal(core.tail.earlyCapabilityFlags, 0x0fff & ~(0x100 | 0x800 | 0x400 | 0x80 | 0x10));
  assert.equal(core.desktopWidth, 1280);
  assert.deepEqual(writeClientCoreData(core), bytes.with(140, 0x6f).with(141, 0x02));
  const old = readClientCoreData(bytes.subarray(0, 128));
  assert.deepEqual(rewriteClientCore(old), old, 'a client without the field announces nothing');
});

test('credentials are injected; compression, PIN, remote programs and cookie are taken away', () => {
  const info: ClientInfo = {
    codePage: 0x409,
    flags: 0x0004_9e80 | 0x13 | 0x40000,
    domain: 'CORP',
    userName: 'ticket',
    password: 'secret of the ticket',
    alternateShell: 'cmd.exe',
    workingDir: 'C:\\',
    extended: {
      clientAddressFamily: 2,
      clientAddress: '192.0.2.1',
      clientDir: '',
      timeZone: new Uint8Array(172).fill(1),
      clientSessionId: 0,
      performanceFlags: 7,
      autoReconnect: { logonId: 4, secret: new Uint8Array(16).fill(9) },
      trailing: Uint8Array.of(0, 0, 0, 0),
    },
  };
  const rewritten = rewriteClientInfo(info, logon, false);
  const sent = readClientInfo(writeClientInfo(rewritten));
  assert.equal(sent.flags & 0x1e80, 0, 'no compression');
  assert.equal(sent.flags & 0x4_8000, 0, 'no PIN, no remote programs');
  assert.equal(sent.flags & 0x3b, 0x3b, 'what xrdp wants');
  assert.deepEqual([sent.userName, sent.password, sent.domain, sent.alternateShell], ['desk', 'sécret', '', '']);
  assert.equal(sent.extended?.autoReconnect, null);
  assert.deepEqual(sent.extended?.timeZone, info.extended?.timeZone);
  assert.equal(info.extended?.autoReconnect?.logonId, 4, 'the original is untouched');
  assert.ok(wantsBulkCompression(info));
  assert.equal(rewriteClientInfo(info, logon, true).flags & 0x1e80, 0x0280, 'MPPC 64K, whatever more the client can');
});

test('bulk compression is wanted by clients that ask for it and can take a history of 64 KiB', () => {
  const info = { codePage: 0, ...logon, extended: null };
  const wants = (flags: number) => wantsBulkCompression({ ...info, flags });
  assert.deepEqual([0, 0x1e00, 0x0080, 0x0280, 0x0680].map(wants), [false, false, false, true, true]);
});
