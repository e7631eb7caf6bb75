import type { Socket } from 'node:net';
import { Framer } from '#rdp/framer.ts';

/** Bytes that may wait in a socket before the other side is no longer read. */
export const BACKLOG_LIMIT_BYTES = 1024 * 1024;

/** A peer that does not take what waits in this time is gone: even the slowest line carries it in less. */
const STALL_TIMEOUT_MS = 180_000;

/** Bytes that a held leg still takes in, so that it notices when the peer goes away. */
const HELD_LIMIT_BYTES = 64 * 1024;

/** Frames given in one go: a peer that sends thousands of tiny ones must not keep others waiting. */
const FRAMES_A_TURN = 512;

/** Why a leg is over. */
export interface LegEnd {
  /** `closed`: the peer closed in order; `lost`: the line broke; `malformed`: the bytes were not RDP. */
  kind: 'closed' | 'lost' | 'malformed';
  detail: string;
}

/**
 * One side of a connection: a socket, seen as frames. Frames are given to `onFrame`, which may be replaced at any time
 * and may throw: malformed bytes then end the leg. After `hold` no frame is given until `flow`.
 */
export class Leg {
  onFrame: (frame: Uint8Array) => void = () => {};
  /** Called once: no frame follows. */
  onEnd: (end: LegEnd) => void = () => {};
  /** Called when less waits to be sent than had made `isBackedUp` true. */
  onDrain: () => void = () => {};
  /** Bytes received since TLS. */
  received = 0;

  #socket: Socket;
  readonly #framer = new Framer();
  #held = false;
  #delivering = false;
  /** Whether the rest of the frames waits for the next turn; the socket is not read meanwhile. */
  #resting = false;
  #stall: NodeJS.Timeout | undefined;
  #end: LegEnd | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen(socket);
  }

  get socket(): Socket {
    return this.#socket;
  }

  /** Why the leg is over, or null while it is not. */
  get end(): LegEnd | null {
    return this.#end;
  }

  /** Whether so much waits to be sent that its source should not be read. */
  get isBackedUp(): boolean {
    return this.#socket.writableLength > BACKLOG_LIMIT_BYTES;
  }

  send(bytes: Uint8Array): void {
    if (this.#socket.destroyed || !this.#socket.writable) return;
    this.#socket.write(bytes);
    this.#watchBacklog();
  }

  /** Sends frames in one go: frames that lie side by side in memory become one write, the rest one system call. */
  sendAll(frames: readonly Uint8Array[]): void {
    const socket = this.#socket;
    if (socket.destroyed || !socket.writable) return;
    const runs = joinNeighbours(frames);
    if (runs.length === 0) return;
    if (runs.length > 1) socket.cork();
    for (const run of runs) socket.write(run);
    if (runs.length > 1) socket.uncork();
    this.#watchBacklog();
  }

  /** Gives no frame until `flow`, not even those that have arrived. The line is still watched for its end. */
  hold(): void {
    this.#held = true;
  }

  flow(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#deliver();
    this.#read();
  }

  /**
   * Goes on inside TLS.
   *
   * @param wrap makes the TLS socket over the present one, and resolves when its handshake is done
   * @throws Error when bytes arrived that belong to neither, or the handshake fails
   */
  async secure(wrap: (socket: Socket) => Promise<Socket>): Promise<void> {
    if (this.#framer.buffered > 0) throw new Error('bytes between the negotiation and TLS');
    const plain = this.#socket;
    plain.off('data', this.#onData);
    plain.off('drain', this.#onDrained);
    plain.off('end', this.#onClosed);
    plain.off('close', this.#onClosed);
    const secured = await wrap(plain);
    this.#socket = secured;
    this.received = 0;
    this.#listen(secured);
    if (secured.destroyed) this.#finish({ kind: 'lost', detail: 'the line dropped after the TLS handshake' });
  }

  /** Sends what waits, then closes; a peer that does not take it within `lingerMs` is cut off. */
  close(lingerMs = 2000): void {
    this.#end ??= { kind: 'closed', detail: 'closed by the gateway' };
    const socket = this.#socket;
    if (socket.destroyed) return;
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once('close', () => clearTimeout(timer));
    socket.on('error', () => socket.destroy());
    // What still arrives is read and dropped: unread bytes would turn the close into a reset.
    socket.off('data', this.#onData);
    socket.resume();
    socket.end();
  }

  /** Ends the leg at once. */
  cut(detail: string): void {
    this.#finish({ kind: 'closed', detail });
    this.#socket.destroy();
  }

  #listen(socket: Socket): void {
    socket.on('data', this.#onData);
    socket.on('drain', this.#onDrained);
    socket.on('error', this.#onError);
    socket.on('end', this.#onClosed);
    socket.on('close', this.#onClosed);
  }

  readonly #onData = (bytes: Uint8Array): void => {
    this.received += bytes.length;
    this.#framer.push(bytes);
    this.#deliver();
    if (this.#isFull) this.#socket.pause();
  };

  readonly #onDrained = (): void => {
    clearTimeout(this.#stall);
    this.#stall = undefined;
    this.onDrain();
  };

  #watchBacklog(): void {
    if (this.#stall !== undefined || !this.isBackedUp) return;
    const lost = () => this.#finish({ kind: 'lost', detail: `took no data for ${STALL_TIMEOUT_MS / 1000} s` });
    this.#stall = setTimeout(lost, STALL_TIMEOUT_MS).unref();
  }

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    this.#finish({ kind: 'lost', detail: error.code ?? error.message });
  };

  readonly #onClosed = (): void => {
    const cut = this.#framer.buffered > 0 && !this.#held;
    this.#finish(
      cut
        ? { kind: 'lost', detail: 'closed in the middle of a PDU' }
        : { kind: 'closed', detail: 'closed without a word' },
    );
  };

  get #isFull(): boolean {
    return this.#held && this.#framer.buffered > HELD_LIMIT_BYTES;
  }

  #read(): void {
    if (!this.#resting && !this.#isFull && this.#end === null) this.#socket.resume();
  }

  #rest(): void {
    this.#resting = true;
    this.#socket.pause();
    setImmediate(() => {
      this.#resting = false;
      this.#deliver();
      this.#read();
    });
  }

  #deliver(): void {
    if (this.#delivering || this.#resting) return;
    this.#delivering = true;
    try {
      for (let given = 0; !this.#held && this.#end === null; given++) {
        if (given === FRAMES_A_TURN) {
          this.#rest();
          break;
        }
        const frame = this.#framer.next();
        if (frame === null) break;
        this.onFrame(frame.bytes);
      }
    } catch (error) {
      this.#finish({ kind: 'malformed', detail: error instanceof Error ? error.message : String(error) });
    } finally {
      this.#delivering = false;
    }
  }

  #finish(end: LegEnd): void {
    if (this.#end !== null) return;
    this.#end = end;
    clearTimeout(this.#stall);
    this.#socket.pause();
    this.onEnd(end);
  }
}

/** Joins views that follow each other in the same buffer, without copying. */
export function joinNeighbours(frames: readonly Uint8Array[]): Uint8Array[] {
  const runs: Uint8Array[] = [];
  for (let at = 0; at < frames.length; ) {
    const { buffer, byteOffset, length } = frames[at++];
    let end = byteOffset + length;
    while (at < frames.length && frames[at].buffer === buffer && frames[at].byteOffset === end) {
      end += frames[at++].length;
    }
    runs.push(new Uint8Array(buffer, byteOffset, end - byteOffset));
  }
  return runs;
}
