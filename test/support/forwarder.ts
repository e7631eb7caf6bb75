import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { pipeline, Transform } from 'node:stream';
import { connectUnixSocket } from '#platform/unix-socket.ts';

export interface Forwarder {
  /** TCP port on loopback. */
  port: number;
  /** How many connections there were so far. */
  readonly connections: number;
  /** Lets half of what a client sends next pass, then ends that client's line without a word. */
  cut(): void;
  close(): void;
}

/**
 * Passes each connection to a port (any free one by default) on.
 *
 * @param target path of a UNIX socket, for programs that know only TCP; or a port on loopback
 */
export async function forwardTcp(target: string | number, port = 0): Promise<Forwarder> {
  const sockets = new Set<Socket>();
  let cutting = false;
  let connections = 0;
  const server = createServer((client) => {
    connections++;
    const far = typeof target === 'string' ? connectUnixSocket(target) : connect(target, '127.0.0.1');
    for (const socket of [client, far]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    const scissors = new Transform({
      transform(bytes: Buffer, _encoding, done) {
        if (!cutting) return done(null, bytes);
        cutting = false;
        far.write(bytes.subarray(0, bytes.length >> 1), () => client.destroy());
      },
    });
    const ignore = () => {};
    pipeline(client, scissors, far, ignore);
    pipeline(far, client, ignore);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    cut() {
      cutting = true;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
