import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Framer } from '#rdp/framer.ts';
import { SERVER_USER_ID } from '#rdp/pdu/mcs-domain.ts';
import { readConnectionRequest } from '#rdp/pdu/negotiation.ts';
import { RedirectionFlag, writeServerRedirection } from '#rdp/pdu/server-redirection.ts';
import { ShareControlType, writeShareControl } from '#rdp/pdu/share-control.ts';
import { asciiBytes } from '#rdp/pdu/text.ts';
import { ScriptedServer } from './scripted-server.ts';

export interface Redirector {
  port: number;
  /** SHA-256 of the broker's certificate. */
  fingerprint: string;
  /** The routing token of each connection, in order. */
  tokens: (string | null)[];
  /** Sends the clients that have an open share away. */
  redirect(): void;
  close(): Promise<void>;
}

/**
 * A load balancer: whoever comes with a routing token is passed on to a desktop; others speak with a broker that sends
 * them back with one.
 *
 * @param when at once, in place of a share, or from an open share when the test says so
 */
export async function startRedirector(desktopPort: number, when: 'at once' | 'later'): Promise<Redirector> {
  const body = writeServerRedirection({
    sessionId: 7,
    flags: RedirectionFlag.loadBalanceInfo,
    loadBalanceInfo: asciiBytes('Cookie: msts=farm-7\r\n'),
  });
  const packet = writeShareControl(ShareControlType.serverRedirection, SERVER_USER_ID, body);
  const broker = await ScriptedServer.start({
    admitted(client) {
      if (when === 'at once') client.send(packet);
      return when === 'later';
    },
  });
  const tokens: (string | null)[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('data', (bytes) => {
      const framer = new Framer();
      framer.push(bytes);
      const { routingToken } = readConnectionRequest(framer.next()!.bytes);
      tokens.push(routingToken);
      const target = connect(routingToken === null ? broker.port : desktopPort, '127.0.0.1');
      sockets.add(target);
      target.on('error', () => socket.destroy());
      target.on('close', () => socket.destroy());
      target.write(bytes);
      socket.pipe(target).pipe(socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    fingerprint: broker.fingerprint,
    tokens,
    redirect() {
      for (const client of broker.clients) client.send(packet);
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      const closed = once(server, 'close');
      server.close();
      await closed;
      await broker.close();
    },
  };
}
