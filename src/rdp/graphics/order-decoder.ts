/**
 * Applies drawing orders to a screen ([MS-RDPEGDI] 3.2.5.1): reads them with the history of their fields, fills the caches
 * and paints. What was not announced is refused.
 */
import type { Reader } from '../bytes.ts';
import { readAlternateOrder } from '../order/alternate-order.ts';
import { ControlFlag } from '../order/control-flags.ts';
import type { OrderSupport } from '../order/order-support.ts';
import type { PrimaryKind } from '../order/primary-layouts.ts';
import { PrimaryOrderHistory } from '../order/primary-order.ts';
import { readSecondaryOrder } from '../order/secondary-order.ts';
import { OrderCaches } from './order-caches.ts';
import { OrderPainter } from './order-painter.ts';
import type { Rectangle } from './rectangle.ts';
import type { Screen } from './screen.ts';

/** An order that was read, to be applied before the next one is read: returns what it painted. */
export type DrawingOrder = () => Rectangle | null;

export class OrderDecoder {
  readonly support: OrderSupport;
  readonly history = new PrimaryOrderHistory();
  readonly caches: OrderCaches;
  readonly #painter: OrderPainter;
  readonly #announced: (kind: PrimaryKind) => boolean;
  #depth = 32;

  /**
   * @param support what was negotiated
   * @param palette RGBX words for sessions of 8 bits a pixel: read when something is painted
   */
  constructor(support: OrderSupport, screen: Screen, palette: Uint32Array) {
    this.support = support;
    this.caches = new OrderCaches(support);
    this.#painter = new OrderPainter(screen, this.caches, palette);
    const announced = new Set(support.primary);
    this.#announced = (kind) => announced.has(kind);
  }

  /**
   * Begins an update.
   * @param depth bits per pixel of the session
   */
  begin(depth: number): void {
    this.#depth = depth;
    this.#painter.begin(depth);
  }

  /**
   * Reads one order.
   *
   * @param reader stands before its controlFlags
   * @returns the order, which throws DecodeError when applied where it cannot be
   * @throws DecodeError when it is malformed or was not announced: where the next one begins is then not known
   */
  read(reader: Reader): DrawingOrder {
    const flags = reader.u8('controlFlags');
    if ((flags & ControlFlag.standard) === 0) {
      readAlternateOrder(reader, flags, this.support.frameMarkers);
      return () => null;
    }
    if (flags & ControlFlag.secondary) {
      const order = readSecondaryOrder(reader);
      return () => {
        this.#painter.spend(this.caches.apply(order, this.#depth));
        return null;
      };
    }
    const order = this.history.read(reader, flags, this.#announced);
    return () => this.#painter.paint(order);
  }
}
