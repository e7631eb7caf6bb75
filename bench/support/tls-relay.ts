/** The least that a man in the middle of RDP does: TLS ends on both sides, bytes are passed on. Arguments: target port. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { createSecureContext, TLSSocket, connect as tlsConnect } from 'node:tls';
import { createSelfSigned } from '#platform/pki.ts';
import { serveBench } from './bench-child.ts';

const target = Number(process.argv[2]);
const secureContext = createSecureContext(await createSelfSigned('relay'));
const ignore = () => {};
let bytes = 0;

/** Passes the negotiation on as it is, then goes on inside TLS on both sides. */
async function relay(client: Socket): Promise<void> {
  const server = connect({ port: target, host: '127.0.0.1', noDelay: true });
  client.setNoDelay(true);
  for (const socket of [client, server]) socket.on('error', ignore);
  const [request] = await once(client, 'data');
  client.pause();
  server.write(request);
  const [confirm] = await once(server, 'data');
  server.pause();
  client.write(confirm);
  const near = new TLSSocket(client, { isServer: true, secureContext });
  const far = tlsConnect({ socket: server, rejectUnauthorized: false });
  await once(far, 'secureConnect');
  far.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  pipeline(far, near, ignore);
  pipeline(near, far, ignore);
}

const server = createServer((client) => {
  relay(client).catch(() => client.destroy());
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
serveBench({ port: (server.address() as AddressInfo).port }, () => bytes, {});
