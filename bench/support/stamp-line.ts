import { EventEmitter, once } from 'node:events';
import { ClientLink } from '#demo/client-link.ts';
import { readStamp, type StampServer } from './stamp-server.ts';

export interface Credentials {
  user: string;
  password: string;
}

/** A client on its way, directly or through Lucid, to a stamp server of its own: times one small update after another. */
export class StampLine {
  readonly #server: StampServer;
  readonly #link: ClientLink;
  readonly #arrived: EventEmitter;
  #next = 0;

  private constructor(server: StampServer, link: ClientLink, arrived: EventEmitter) {
    this.#server = server;
    this.#link = link;
    this.#arrived = arrived;
  }

  /** Connects. @param port where the way begins; @throws Error when the connection ends before its share is open */
  static async open(server: StampServer, port: number, { user, password }: Credentials): Promise<StampLine> {
    const arrived = new EventEmitter();
    const active = Promise.withResolvers<void>();
    const link: ClientLink = new ClientLink(
      { to: { host: '127.0.0.1', port }, pin: null, userName: user, password },
      {
        shown(frame) {
          const number = readStamp(frame);
          if (number !== null) arrived.emit(String(number));
        },
        data() {},
        channel() {},
        changed: () => link.isActive && active.resolve(),
        ended: (reason) => active.reject(reason),
      },
    );
    await active.promise;
    return new StampLine(server, link, arrived);
  }

  /** Milliseconds from the server's write of an update to the client's read of it. */
  async time(): Promise<number> {
    const number = this.#next++;
    const arrival = once(this.#arrived, String(number));
    const sent = performance.now();
    this.#server.stamp(number);
    await arrival;
    return performance.now() - sent;
  }

  async close(): Promise<void> {
    this.#link.close();
    await this.#server.close();
  }
}
