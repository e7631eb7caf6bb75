import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { DecodeError } from '../bytes.ts';
import { Framer } from '../framer.ts';
import { writeSetErrorInfo } from '../pdu/error-info.ts';
import { ClientEarlyFlag } from '../pdu/gcc-client-core.ts';
import { readConferenceCreateResponse, writeConferenceCreateResponse } from '../pdu/gcc-conference.ts';
import { readServerBlocks, writeServerBlocks } from '../pdu/gcc-server-blocks.ts';
import { LicenseErrorCode, LicenseMessageType, LicenseTransition, writeLicenseError } from '../pdu/license.ts';
import { readConnectResponse, writeConnectResponse } from '../pdu/mcs-connect.ts';
import { DisconnectReason, readDomainPdu, SERVER_USER_ID, writeDomainPdu } from '../pdu/mcs-domain.ts';
import { FailureCode, Protocol, readConnectionConfirm, writeConnectionConfirm } from '../pdu/negotiation.ts';
import { readSecurityHeader, SecurityFlag, writeSecurityHeader } from '../pdu/security-header.ts';
import { RedirectionFlag, writeServerRedirection } from '../pdu/server-redirection.ts';
import { ShareControlType, writeShareControl } from '../pdu/share-control.ts';
import { ShareDataType, writeShareData } from '../pdu/share-data.ts';
import { ClientConnection, type ClientOptions, type ClientState } from './client-connection.ts';
import { clientBlocks, clientInfo } from './client-settings.ts';
import { NegotiationFailure, SequenceError } from './sequence-error.ts';
import { ServerConnection, type ServerState } from './server-connection.ts';

const channels = [
  { name: 'cliprdr', options: 0xc0a00000 },
  { name: '', options: 0 },
  { name: 'rdpdr', options: 0x80800000 },
  { name: 'eightchr', options: 0x80000000 },
];

function clientOptions(changes: Partial<ClientOptions> = {}): ClientOptions {
  return {
    cookie: 'alice',
    routingToken: null,
    protocols: Protocol.ssl,
    blocks: clientBlocks({ width: 1280, height: 800, bitsPerPixel: 32, clientName: 'test', channels }),
    info: clientInfo({ domain: 'D', userName: 'alice', password: 's\u00e9cret' }),
    ...changes,
  };
}

const newServer = () => new ServerConnection({ protocols: Protocol.ssl, responseFlags: 0 });

/** Drives both sides in memory until neither has more to say. `deliver` cuts what crosses into pieces. */
function connect(client: ClientConnection, server: ServerConnection, deliver: (bytes: Uint8Array) => Uint8Array[]) {
  const toServer = new Framer();
  const toClient = new Framer();
  const send = (framer: Framer, frames: Uint8Array[]) => {
    for (const frame of frames) for (const piece of deliver(frame)) framer.push(piece);
  };
  const drain = (framer: Framer, receive: (frame: Uint8Array) => Uint8Array[], back: Framer) => {
    let moved = false;
    for (let frame = framer.next(); frame; frame = framer.next()) {
      assert.equal(frame.kind, 'tpkt');
      send(back, receive(frame.bytes));
      moved = true;
    }
    return moved;
  };
  send(toServer, client.start());
  for (;;) {
    const moved = drain(toServer, (frame) => server.receive(frame), toClient);
    if (server.state.phase === 'upgrade' && toServer.buffered === 0 && client.state.phase === 'negotiation') {
      drain(toClient, (frame) => client.receive(frame), toServer);
      server.secured();
      send(toServer, client.secured());
      continue;
    }
    if (server.state.phase === 'admission') send(toClient, server.admit());
    if (!drain(toClient, (frame) => client.receive(frame), toServer) && !moved) return;
  }
}

function inPhase<S extends { phase: string }, P extends S['phase']>(state: S, phase: P): Extract<S, { phase: P }> {
  assert.equal(state.phase, phase);
  return state as Extract<S, { phase: P }>;
}

const whole = (bytes: Uint8Array) => [bytes];
const byteByByte = (bytes: Uint8Array) => Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));

for (const [name, deliver] of Object.entries({ whole, byteByByte })) {
  test(`client and server connect to each other, ${name}`, () => {
    const client = new ClientConnection(clientOptions());
    const server = newServer();
    connect(client, server, deliver);

    const { client: seen } = inPhase<ServerState, 'connected'>(server.state, 'connected');
    assert.equal(seen.request.cookie, 'alice');
    assert.equal(seen.info.password, 'sécret');
    assert.equal(seen.blocks.core.desktopWidth, 1280);
    assert.equal(seen.blocks.core.tail.serverSelectedProtocol, Protocol.ssl);
    assert.deepEqual(
      seen.channels.map(({ name, id }) => [name, id]),
      [
        ['cliprdr', 1004],
        ['rdpdr', 1005],
      ],
    );
    const { server: found } = inPhase<ClientState, 'licensing'>(client.state, 'licensing');
    assert.equal(found.userChannelId, seen.userChannelId);
    assert.equal(found.ioChannelId, seen.ioChannelId);
    assert.deepEqual(found.channels, seen.channels);
    assert.equal(found.blocks.core.clientRequestedProtocols, Protocol.ssl);
  });
}

/** A client that waits for its licence, and what its server sends on the I/O channel. */
function licensing(): {
  client: ClientConnection;
  fromServer: (payload: Uint8Array, channelId?: number) => Uint8Array;
} {
  const client = new ClientConnection(clientOptions());
  connect(client, newServer(), whole);
  const fromServer = (payload: Uint8Array, channelId = 1003) =>
    writeDomainPdu({ kind: 'sendDataIndication', initiator: SERVER_USER_ID, channelId, payload });
  return { client, fromServer };
}

const ultimatum = (reason: number) => writeDomainPdu({ kind: 'disconnectProviderUltimatum', reason });

describe('negotiation', () => {
  test('a server refuses a client without TLS, in the words of the protocol', () => {
    const client = new ClientConnection(clientOptions({ protocols: Protocol.rdp }));
    const server = newServer();
    const [confirm] = server.receive(client.start()[0]);
    assert.deepEqual(readConnectionConfirm(confirm), { kind: 'failure', code: FailureCode.sslRequiredByServer });
    const { failure } = inPhase<ServerState, 'refused'>(server.state, 'refused');
    assert.match(failure.message, /only legacy RDP encryption, wanted TLS/);
    assert.throws(() => client.receive(confirm), { name: 'NegotiationFailure', failureCode: 1, code: 'refused' });
  });

  test('a client refuses what it did not ask for', () => {
    for (const confirm of [
      { kind: 'none' },
      { kind: 'response', flags: 0, selectedProtocol: Protocol.rdp },
      { kind: 'response', flags: 0, selectedProtocol: Protocol.hybrid },
      { kind: 'failure', code: FailureCode.hybridRequiredByServer },
      { kind: 'failure', code: 99 },
    ] as const) {
      const client = new ClientConnection(clientOptions());
      client.start();
      assert.throws(() => client.receive(writeConnectionConfirm(confirm)), NegotiationFailure);
    }
  });

  test('the strongest common protocol is selected', () => {
    const protocols = Protocol.ssl | Protocol.hybrid | Protocol.hybridEx;
    const server = new ServerConnection({ protocols, responseFlags: 0 });
    server.receive(new ClientConnection(clientOptions({ protocols: 11 })).start()[0]);
    assert.equal(inPhase<ServerState, 'upgrade'>(server.state, 'upgrade').selectedProtocol, Protocol.hybridEx);
  });

  test('a routing token goes in place of the cookie', () => {
    const server = newServer();
    const routingToken = 'tsv://ticket.0123456789';
    server.receive(new ClientConnection(clientOptions({ cookie: null, routingToken })).start()[0]);
    assert.equal(inPhase<ServerState, 'upgrade'>(server.state, 'upgrade').request.routingToken, routingToken);
  });
});

test('a client announces nothing that it does not do, and fills up a short CS_CORE', () => {
  const given = clientOptions().blocks;
  const all = Object.values(ClientEarlyFlag).reduce((sum: number, flag) => sum | flag, 0);
  for (const tail of [{}, { ...given.core.tail, earlyCapabilityFlags: all }]) {
    const blocks = { ...given, core: { ...given.core, tail }, messageChannel: 0, multitransport: 1 };
    const server = newServer();
    connect(new ClientConnection(clientOptions({ blocks })), server, whole);
    const seen = inPhase<ServerState, 'connected'>(server.state, 'connected').client.blocks;
    assert.equal(seen.core.tail.serverSelectedProtocol, Protocol.ssl);
    const unwanted =
      ClientEarlyFlag.supportSkipChannelJoin |
      ClientEarlyFlag.supportHeartbeatPdu |
      ClientEarlyFlag.supportNetCharAutodetect;
    assert.equal(seen.core.tail.earlyCapabilityFlags! & unwanted, 0);
    assert.deepEqual([seen.messageChannel, seen.multitransport], [null, null]);
  }
});

test('a channel to which the server gives no id is not joined', () => {
  const client = new ClientConnection(clientOptions());
  const server = newServer();
  client.receive(server.receive(client.start()[0])[0]);
  server.secured();
  const [response] = server.receive(client.secured()[0]);
  const { userData, ...connect } = readConnectResponse(response);
  const blocks = readServerBlocks(readConferenceCreateResponse(userData));
  blocks.network.channelIds[0] = 0;
  const changed = writeConferenceCreateResponse(writeServerBlocks(blocks));
  client.receive(writeConnectResponse({ ...connect, userData: changed }));
  const { server: found } = inPhase<ClientState, 'attaching'>(client.state, 'attaching');
  assert.deepEqual(
    found.channels.map(({ name }) => name),
    ['rdpdr'],
  );
});

describe('a server', () => {
  /** A server that waits for channel joins. */
  function joining(): ServerConnection {
    const client = new ClientConnection(clientOptions());
    const server = newServer();
    client.receive(server.receive(client.start()[0])[0]);
    server.secured();
    server.receive(client.secured()[0]);
    assert.equal(server.state.phase, 'channels');
    return server;
  }

  test('refuses a channel that it has not given', () => {
    const request = { kind: 'channelJoinRequest', initiator: 1006, channelId: 2000 } as const;
    const [confirm] = joining().receive(writeDomainPdu(request));
    const { channelId, result } = readDomainPdu(confirm) as { channelId: number | null; result: number };
    assert.equal(channelId, null);
    assert.notEqual(result, 0);
  });

  test('refuses Client Info before the I/O channel is joined', () => {
    const payload = writeSecurityHeader({ flags: SecurityFlag.infoPacket, body: new Uint8Array(40) });
    const frame = writeDomainPdu({ kind: 'sendDataRequest', initiator: 1006, channelId: 1003, payload });
    assert.throws(() => joining().receive(frame), { name: 'SequenceError', code: 'unexpectedPdu' });
  });

  test('tells that the client left', () => {
    const left = { name: 'SequenceError', code: 'disconnected' };
    assert.throws(() => joining().receive(ultimatum(DisconnectReason.userRequested)), left);
    assert.throws(() => joining().receive(writeDomainPdu({ kind: 'disconnectRequest' })), left);
  });

  test('is told of misuse', () => {
    assert.throws(() => newServer().secured(), TypeError);
    assert.throws(() => newServer().admit(), TypeError);
  });
});

describe('a client that waits for its licence', () => {
  const securedPdu = (body: Uint8Array) => writeSecurityHeader({ flags: SecurityFlag.licensePacket, body });

  test('answers a License Request by saying that it has none', () => {
    const { client, fromServer } = licensing();
    const request = Uint8Array.of(LicenseMessageType.licenseRequest, 3, 8, 0, 0, 0, 0, 0);
    const answer = readDomainPdu(client.receive(fromServer(securedPdu(request)))[0]);
    assert.equal(answer.kind, 'sendDataRequest');
    const { flags, body } = readSecurityHeader((answer as { payload: Uint8Array }).payload);
    assert.equal(flags, SecurityFlag.licensePacket);
    assert.equal(body[0], LicenseMessageType.errorAlert);
    assert.equal(client.state.phase, 'licensing');
  });

  test('gives up when the server insists on one', () => {
    const { client, fromServer } = licensing();
    const alert = { errorCode: LicenseErrorCode.invalidClient, stateTransition: LicenseTransition.totalAbort };
    assert.throws(() => client.receive(fromServer(securedPdu(writeLicenseError(alert)))), {
      name: 'SequenceError',
      message: /licensing: .* code 8/,
    });
  });

  test('hands over at the Demand Active, frame and all', () => {
    const { client, fromServer } = licensing();
    client.receive(fromServer(Uint8Array.of(1, 2, 3), 1004));
    const frame = fromServer(writeShareControl(ShareControlType.demandActive, SERVER_USER_ID, new Uint8Array(8)));
    assert.deepEqual(client.receive(frame), []);
    assert.equal(inPhase<ClientState, 'demandActive'>(client.state, 'demandActive').frame, frame);
    assert.throws(() => client.receive(frame), { code: 'unexpectedPdu' });
  });

  test('surfaces a redirection', () => {
    const { client, fromServer } = licensing();
    const loadBalanceInfo = new Uint8Array([...'Cookie: msts=1.2.3\r\n'].map((char) => char.charCodeAt(0)));
    const body = writeServerRedirection({ sessionId: 5, flags: RedirectionFlag.loadBalanceInfo, loadBalanceInfo });
    client.receive(fromServer(writeShareControl(ShareControlType.serverRedirection, SERVER_USER_ID, body)));
    const { redirection } = inPhase<ClientState, 'redirected'>(client.state, 'redirected');
    assert.deepEqual([redirection.sessionId, redirection.loadBalanceInfo], [5, loadBalanceInfo]);
  });

  test('says why the server ended the connection', () => {
    const { client, fromServer } = licensing();
    client.receive(fromServer(writeShareData(0, SERVER_USER_ID, ShareDataType.setErrorInfo, writeSetErrorInfo(5))));
    assert.throws(() => client.receive(ultimatum(DisconnectReason.providerInitiated)), {
      code: 'disconnected',
      message: /because another connection took the session over/,
    });
  });
});

test('any frame in any phase is taken or refused with an error of this library', () => {
  const recorded: { side: 'client' | 'server'; frame: Uint8Array }[] = [];
  const record = (side: 'client' | 'server', frames: Uint8Array[]) => {
    for (const frame of frames) recorded.push({ side, frame });
    return frames;
  };
  const spy = { client: new ClientConnection(clientOptions()), server: newServer() };
  for (const side of ['client', 'server'] as const) {
    const original = spy[side].receive.bind(spy[side]);
    spy[side].receive = (frame) => {
      record(side, [frame]);
      return original(frame);
    };
  }
  connect(spy.client, spy.server, whole);
  assert.ok(recorded.length > 12);

  const change = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.nat(recorded.length - 1), change, (at, changes) => {
      const subject = { client: new ClientConnection(clientOptions()), server: newServer() };
      subject.client.start();
      const advance = () => {
        if (subject.server.state.phase === 'upgrade') subject.server.secured();
        if (subject.client.state.phase === 'upgrade') subject.client.secured();
      };
      for (const { side, frame } of recorded.slice(0, at)) {
        subject[side].receive(frame);
        advance();
      }
      const { side, frame } = recorded[at];
      const bytes = frame.slice();
      for (const [place, value] of changes) bytes[4 + (place % (bytes.length - 4))] = value;
      try {
        subject[side].receive(bytes);
      } catch (error) {
        assert.ok(error instanceof DecodeError || error instanceof SequenceError, `${(error as Error).stack}`);
      }
    }),
    { numRuns: 2000 },
  );
});
