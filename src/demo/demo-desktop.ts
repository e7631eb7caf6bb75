import { X509Certificate } from 'node:crypto';
import { type AddressInfo, createServer, type ListenOptions, type Server } from 'node:net';
import { createSecureContext } from 'node:tls';
import { createSelfSigned } from '#platform/pki.ts';
import { DecodeError } from '#rdp/bytes.ts';
import { SequenceError } from '#rdp/sequence/sequence-error.ts';
import { DemoModel } from './demo-model.ts';
import { DesktopSession, type SessionOptions } from './desktop-session.ts';
import { FrameSocket } from './frame-socket.ts';

export interface DemoDesktopOptions {
  /** Where to listen; loopback and a free port by default. A `path` listens on a UNIX socket. */
  listen?: ListenOptions;
  /** Who may log on; everybody by default. */
  credentials?: SessionOptions['credentials'];
  /** Wall-clock time that the desktop shows. */
  now?: () => Date;
  /** Milliseconds between two pictures of the clock; 0 leaves it still. 100 by default. */
  tickMs?: number;
}

/**
 * A small RDP server: a clock, a text pad that shows what is typed, a shape that can be dragged, a text clipboard. It
 * stands in for a real desktop where none can be had: in the demo, in tests, in benchmarks.
 */
export class DemoDesktop {
  /** What is on the desktop: shared by all connections. */
  readonly model = new DemoModel();
  /** SHA-256 of its certificate in DER, hex: what a client pins. */
  readonly fingerprint: string;
  /** Why the last connection ended that broke the protocol. */
  lastError: Error | null = null;
  readonly #server: Server;
  readonly #sessions = new Set<DesktopSession>();

  private constructor(server: Server, fingerprint: string) {
    this.#server = server;
    this.fingerprint = fingerprint;
  }

  /** Makes a certificate and listens. */
  static async start(options: DemoDesktopOptions = {}): Promise<DemoDesktop> {
    const { listen = {}, credentials = null, now = () => new Date(), tickMs = 100 } = options;
    const { key, cert } = await createSelfSigned('lucid-demo-desktop');
    const server = createServer();
    const fingerprint = new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase();
    const desktop = new DemoDesktop(server, fingerprint);
    const session = {
      model: desktop.model,
      secureContext: createSecureContext({ key, cert }),
      credentials,
      now,
      tickMs,
    };
    server.on('connection', (socket) => desktop.#accept(new FrameSocket(socket), session));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(listen.path ? listen : { host: '127.0.0.1', port: 0, ...listen }, resolve);
    });
    return desktop;
  }

  /** The port it listens on; 0 on a UNIX socket. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port ?? 0;
  }

  /** Connections that are open. */
  get sessions(): DesktopSession[] {
    return [...this.#sessions];
  }

  /** Gives every client a desktop of another size. */
  resize(width: number, height: number): void {
    for (const session of this.#sessions) session.resize(width, height);
  }

  /** Stops listening and ends every connection. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const session of this.#sessions) session.destroy();
    await closed;
  }

  #accept(socket: FrameSocket, options: SessionOptions): void {
    const session = new DesktopSession(socket, options, (error) => {
      this.#sessions.delete(session);
      // a line that drops is no fault of the client's
      if (error instanceof DecodeError || error instanceof SequenceError) this.lastError = error;
    });
    this.#sessions.add(session);
  }
}
