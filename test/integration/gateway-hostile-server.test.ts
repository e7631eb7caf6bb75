/** Servers that are not what they should be: whoever has a hosted desktop can put a program of theirs in xrdp's place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeadlessClient } from '#demo/headless-client.ts';
import { SERVER_USER_ID } from '#rdp/pdu/mcs-domain.ts';
import { RedirectionFlag, writeServerRedirection } from '#rdp/pdu/server-redirection.ts';
import { ShareControlType, writeShareControl } from '#rdp/pdu/share-control.ts';
import { asciiBytes } from '#rdp/pdu/text.ts';
import { SECRET, startGateway } from '../support/gateway.ts';
import { OpenRecorder } from '../support/open-recorder.ts';
import { ScriptedServer } from '../support/scripted-server.ts';

test('a server that redirects without end is left, and was never asked more than once at a time', async () => {
  const body = writeServerRedirection({
    sessionId: 7,
    flags: RedirectionFlag.loadBalanceInfo,
    loadBalanceInfo: asciiBytes('Cookie: msts=farm-7\r\n'),
  });
  const packet = writeShareControl(ShareControlType.serverRedirection, SERVER_USER_ID, body);
  const many = Buffer.concat(Array<Uint8Array>(200).fill(packet));
  const server = await ScriptedServer.start({ opened: (client) => client.send(many) });
  const target = { host: '127.0.0.1', port: server.port };
  const gateway = await startGateway({ target, policy: {}, records: new OpenRecorder() });
  try {
    const client = await HeadlessClient.connect({
      to: { host: '127.0.0.1', port: gateway.port },
      pin: null,
      userName: gateway.createTicket(),
      password: SECRET,
    });
    await gateway.untilEnded(1);
    assert.match(gateway.ended[0].reason, /redirected an open session more than 8 times/);
    assert.equal(server.clients.length, 9);
    client.abort();
  } finally {
    await gateway.close();
    await server.close();
  }
});
