/**
 * Applies drawing orders to a screen ([MS-RDPEGDI] 3.2.5.1): reads them with the history of their fields, fills the caches
 * and paints. What was not announced is refused.
 */
import type { Reader } from '../bytes.ts';
import { readAlternateOrder } from '../order/alternate-order.ts';
import { ControlFlag } from '../order/control-flags.ts';
import type { OrderSupport } from '../order/order-support.ts';
import type { OrdersUpdate } from '../order/orders-update.ts';
import type { PrimaryKind } from '../order/primary-layouts.ts';
import { PrimaryOrderHistory } from '../order/primary-order.ts';
import { readSecondaryOrder } from '../order/secondary-order.ts';
import { OrderCaches } from './order-caches.ts';
import { OrderPainter } from './order-painter.ts';
import type { Rectangle } from './rectangle.ts';
import type { Screen } from './screen.ts';

/** An order that was read, to be applied before the next one is read: returns what it painted. */
type DrawingOrder = () => Rectangle | null;

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
   * Applies the orders of an update, one after the other.
   *
   * @param depth bits per pixel of the session
   * @param attempt runs a step; where that throws DecodeError, so many bytes count as undecodable
   * @param painted is told of each rectangle that changed
   */
  apply(
    { count, reader }: OrdersUpdate,
    depth: number,
    attempt: (bytes: number, step: () => void) => void,
    painted: (area: Rectangle) => void,
  ): void {
    this.#depth = depth;
    this.#painter.begin(depth);
    for (let left = count; left > 0; left--) {
      const start = reader.offset;
      let order: DrawingOrder | null = null;
      // Where an order is not understood, nobody knows where the next one begins.
      attempt(Math.max(1, reader.remaining), () => {
        order = this.#read(reader);
      });
      if (order === null) return;
      attempt(reader.offset - start, () => {
        const area = order!();
        if (area !== null) painted(area);
      });
    }
  }

  #read(reader: Reader): DrawingOrder {
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
