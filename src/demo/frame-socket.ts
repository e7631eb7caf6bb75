import type { Socket } from 'node:net';
import { connect, type SecureContext, type TLSSocket, TLSSocket as TlsSocket } from 'node:tls';
import { Framer } from '#rdp/framer.ts';

/** A socket seen as RDP frames, before and after the upgrade to TLS. */
export class FrameSocket {
  /** Called with each whole frame; what it throws ends the socket. */
  onFrame: (frame: Uint8Array) => void = () => {};
  /** Called once, when nothing more will come. */
  onEnd: (error?: Error) => void = () => {};
  /** Called when everything that was sent has left. */
  onDrain: () => void = () => {};
  #socket: Socket;
  readonly #framer = new Framer();
  #ended = false;

  /** @param socket connected; it belongs to this object from now on */
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    this.#listen();
  }

  /** Bytes that wait to be sent. */
  get backlog(): number {
    return this.#socket.writableLength;
  }

  /** Sends frames in order; once the socket is closing they are dropped. */
  send(frames: readonly Uint8Array[]): void {
    if (this.#ended || !(this.#socket.writable || this.#socket.connecting)) return;
    this.#socket.cork();
    for (const frame of frames) this.#socket.write(frame);
    this.#socket.uncork();
  }

  /** Goes on inside TLS, as the server. */
  async acceptTls(secureContext: SecureContext): Promise<void> {
    await this.#upgrade((plain) => new TlsSocket(plain, { isServer: true, secureContext }), 'secure');
  }

  /**
   * Goes on inside TLS, as the client.
   * @param pin SHA-256 of the server's certificate in DER, hex; null to accept any
   * @throws Error when the handshake fails or the server shows another certificate
   */
  async connectTls(pin: string | null): Promise<void> {
    // RDP servers are known by their pin: their names are in no public certificate
    const secured = await this.#upgrade((socket) => connect({ socket, rejectUnauthorized: false }), 'secureConnect');
    if (pin === null) return;
    const found = secured.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase();
    if (found === pin.toLowerCase()) return;
    this.destroy();
    throw new Error(`the server's certificate has SHA-256 ${found}, wanted ${pin}`);
  }

  /** Sends what waits, then closes. */
  close(): void {
    this.#socket.end();
  }

  /** Cuts the line: what waits is lost. */
  destroy(): void {
    this.#socket.destroy();
  }

  async #upgrade(wrap: (plain: Socket) => TLSSocket, done: 'secure' | 'secureConnect'): Promise<TLSSocket> {
    if (this.#framer.buffered > 0) throw new Error(`${this.#framer.buffered} bytes came before TLS, wanted none`);
    const plain = this.#socket;
    plain.removeAllListeners('data');
    const secured = wrap(plain);
    this.#socket = secured;
    await new Promise<void>((resolve, reject) => {
      secured.once(done, resolve);
      secured.once('error', reject);
      secured.once('close', () => reject(new Error('the line dropped during the TLS handshake')));
    });
    this.#listen();
    return secured;
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('data', (bytes) => this.#receive(bytes));
    socket.on('drain', () => this.onDrain());
    socket.on('error', (error) => this.#end(error));
    // a wrapped plain socket closes with its TLS socket: it is the last one that counts
    socket.on('close', () => socket === this.#socket && this.#end());
  }

  #receive(bytes: Uint8Array): void {
    this.#framer.push(bytes);
    try {
      for (let frame = this.#framer.next(); frame && !this.#ended; frame = this.#framer.next())
        this.onFrame(frame.bytes);
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error(String(error)));
      this.destroy();
    }
  }

  #end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.onEnd(error);
  }
}
