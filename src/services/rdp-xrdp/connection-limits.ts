/** How many connections there may be: in all, before admission, and of one client address. */
import { addressKey } from '#platform/address.ts';

export interface Limits {
  connections: number;
  handshakes: number;
  perAddress: number;
  handshakesPerAddress: number;
}

/** One connection's place; each method may be called again without effect. */
export interface Place {
  /** The client is admitted: its place among the handshakes is free. */
  admitted(): void;
  released(): void;
}

interface Count {
  connections: number;
  handshakes: number;
}

/** What one address has. */
interface Own extends Count {
  /** Turns away each of its connections that is not admitted yet; the oldest first. */
  readonly waiting: Set<() => void>;
}

export class ConnectionLimits {
  readonly #limits: Limits;
  readonly #total: Count = { connections: 0, handshakes: 0 };
  readonly #byAddress = new Map<string, Own>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get connections(): number {
    return this.#total.connections;
  }

  get handshakes(): number {
    return this.#total.handshakes;
  }

  /**
   * Takes a place for a new connection, or says in words why there is none. Where too many wait to be admitted, the oldest
   * of the address with most of them makes room: few addresses cannot keep all others out.
   *
   * @param turnAway ends the connection, when another takes its place
   */
  take(address: string, turnAway: () => void): Place | string {
    const limits = this.#limits;
    const key = addressKey(address);
    const own: Own = this.#byAddress.get(key) ?? { connections: 0, handshakes: 0, waiting: new Set() };
    if (this.#total.connections >= limits.connections) return `${limits.connections} connections are open`;
    if (own.connections >= limits.perAddress) return `${limits.perAddress} connections of this address are open`;
    if (own.handshakes >= limits.handshakesPerAddress) {
      return `${limits.handshakesPerAddress} connections of this address wait to be admitted`;
    }
    if (this.#total.handshakes >= limits.handshakes && !this.#makeRoomFor(own)) {
      return `${limits.handshakes} connections wait to be admitted`;
    }
    this.#byAddress.set(key, own);
    const counts = [this.#total, own];
    let isAdmitted = false;
    let isReleased = false;
    for (const count of counts) {
      count.connections++;
      count.handshakes++;
    }
    const admitted = () => {
      if (isAdmitted) return;
      isAdmitted = true;
      own.waiting.delete(giveWay);
      for (const count of counts) count.handshakes--;
    };
    const released = () => {
      admitted();
      if (isReleased) return;
      isReleased = true;
      for (const count of counts) count.connections--;
      if (own.connections === 0) this.#byAddress.delete(key);
    };
    const giveWay = () => {
      released();
      turnAway();
    };
    own.waiting.add(giveWay);
    return { admitted, released };
  }

  /** @returns false where no address has more than this one would have then */
  #makeRoomFor(own: Own): boolean {
    const most = [...this.#byAddress.values()].reduce((a, b) => (b.handshakes > a.handshakes ? b : a), own);
    if (most.handshakes <= own.handshakes + 1) return false;
    const [oldest] = most.waiting;
    oldest();
    return true;
  }
}
