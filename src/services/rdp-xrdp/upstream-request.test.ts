import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InfoFlag } from '#rdp/pdu/client-info.ts';
import { RedirectionFlag, type ServerRedirection } from '#rdp/pdu/server-redirection.ts';
import { asciiBytes, utf16Bytes } from '#rdp/pdu/text.ts';
import { clientBlocks, clientInfo } from '#rdp/sequence/client-settings.ts';
import type { ClientDescription } from '#rdp/sequence/server-connection.ts';
import { upstreamRequest } from './upstream-request.ts';

const channel = (name: string) => ({ name, options: 0xc0c00000 });

function client(names: string[] = []): ClientDescription {
  const channels = names.map(channel);
  const wish = { width: 800, height: 600, bitsPerPixel: 32, clientName: 'laptop', channels } as const;
  const info = clientInfo({ domain: '', userName: 'ticket', password: 'secret' });
  return {
    request: { cookie: null, routingToken: null, negotiation: null, trailing: new Uint8Array(0) },
    selectedProtocol: 1,
    blocks: clientBlocks({ ...wish, channels }),
    ioChannelId: 1003,
    userChannelId: 1010,
    channels: channels.map((each, i) => ({ ...each, id: 1004 + i })),
    info: { ...info, flags: info.flags | InfoFlag.audioCapture | InfoFlag.compression, alternateShell: 'evil.exe' },
  };
}

const target = {
  server_id: 'x',
  socket_path: null,
  host: 'build-1',
  port: 3389,
  user: 'kiosk',
  domain: 'D',
  password: 'P',
  certificate_sha256: null,
};

test('the ticket stays here, the target’s credentials go there', () => {
  const { info, cookie, routingToken } = upstreamRequest(client(), {}, target, null);
  assert.deepEqual([info.userName, info.domain, info.password, info.alternateShell], ['kiosk', 'D', 'P', '']);
  assert.deepEqual([cookie, routingToken], [null, null]);
  assert.ok(info.flags & InfoFlag.autologon);
  assert.equal(info.flags & (InfoFlag.compression | InfoFlag.audioCapture), 0);
});

test('without a user name the server asks the person', () => {
  const { info } = upstreamRequest(client(), {}, { ...target, user: '' }, null);
  assert.equal(info.flags & InfoFlag.autologon, 0);
});

test('channels that the policy denies, or that come twice, are not announced', () => {
  const names = ['rdpdr', 'cliprdr', 'CLIPRDR', 'drdynvc', 'rdpsnd', 'x'];
  const policy = { clipboard_to_client: true, audio_output: true };
  const { blocks, info } = upstreamRequest(client(names), policy, target, null);
  assert.deepEqual(blocks.channels, [
    { name: 'cliprdr', options: 0xc0000000 },
    { name: 'rdpsnd', options: 0xc0000000 },
  ]);
  assert.ok(blocks.channels?.every(({ options }) => options >= 0));
  assert.equal(upstreamRequest(client(names), {}, target, null).info.flags & InfoFlag.noAudioPlayback, 0x80000);
  assert.ok(info.flags >= 0);
});

test('a redirection brings its token, its session and its credentials', () => {
  const redirection: ServerRedirection = {
    sessionId: 9,
    flags: RedirectionFlag.loadBalanceInfo,
    loadBalanceInfo: asciiBytes('tsv://farm\r\n'),
    userName: 'other',
    password: utf16Bytes('one-time\0'),
  };
  const request = upstreamRequest(client(), {}, target, redirection);
  assert.equal(request.routingToken, 'tsv://farm');
  assert.deepEqual([request.info.userName, request.info.domain, request.info.password], ['other', 'D', 'one-time']);
  assert.deepEqual(request.blocks.cluster, { flags: 0xf, redirectedSessionId: 9, trailing: new Uint8Array(0) });
  const sealed = { ...redirection, flags: redirection.flags | RedirectionFlag.passwordIsPkEncrypted };
  assert.equal(upstreamRequest(client(), {}, target, sealed).info.password, 'P');
});

test('a desktop that cannot be is not asked for, by core data or by monitors', () => {
  const honest = client();
  const { core } = honest.blocks;
  assert.equal(upstreamRequest(honest, {}, target, null).blocks.core.desktopWidth, 800);
  const monitors = { flags: 0, monitors: [{ left: -9999, top: 0, right: 0x7fffffff, bottom: 0x7fffffff, flags: 1 }] };
  const unknown = [{ type: 0xc0ff, body: new Uint8Array(1000) }];
  const blocks = { ...honest.blocks, core: { ...core, desktopWidth: 65535, desktopHeight: 65535 }, monitors, unknown };
  const asked = upstreamRequest({ ...honest, blocks }, {}, target, null).blocks;
  assert.deepEqual([asked.core.desktopWidth, asked.core.desktopHeight], [1024, 768]);
  assert.deepEqual([asked.monitors, asked.monitorAttributes, asked.unknown], [null, null, []]);
});
