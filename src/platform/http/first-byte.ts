import { createServer, type Server, type Socket } from 'node:net';

/** How long a fresh connection may stay silent. */
const FIRST_BYTE_TIMEOUT_MS = 10_000;

/**
 * A server that looks at a connection's first byte, puts it back, and hands the connection on: so that one port speaks
 * two protocols.
 *
 * @param route called once per connection with its first byte
 */
export function createFirstByteServer(route: (socket: Socket, firstByte: number) => void): Server {
  return createServer((socket) => {
    const silence = setTimeout(() => socket.destroy(), FIRST_BYTE_TIMEOUT_MS);
    const ignore = () => socket.destroy();
    socket.once('error', ignore);
    socket.once('close', () => clearTimeout(silence));
    socket.once('readable', () => {
      clearTimeout(silence);
      const bytes: Buffer | null = socket.read();
      if (bytes === null) {
        socket.destroy();
        return;
      }
      socket.unshift(bytes);
      socket.off('error', ignore);
      route(socket, bytes[0]);
    });
  });
}
