/**
 * Orders updates: drawing orders one after the other, behind their number ([MS-RDPEGDI] 2.2.2.1 on the fast path, 2.2.2.2
 * on the slow path). Little-endian.
 */
import { DecodeError, Reader, Writer } from '../bytes.ts';
import { UpdateType } from '../pdu/update.ts';

export interface OrdersUpdate {
  /** How many orders follow. */
  count: number;
  /** Stands before the first order. */
  reader: Reader;
}

/** @throws DecodeError when the update is shorter than its header */
export function readFastPathOrders(data: Uint8Array): OrdersUpdate {
  const reader = new Reader(data);
  return { count: reader.u16('numberOrders'), reader };
}

/**
 * @param body the update from its updateType on
 * @throws DecodeError when the update is of another type or shorter than its header
 */
export function readSlowPathOrders(body: Uint8Array): OrdersUpdate {
  const reader = new Reader(body);
  const type = reader.u16('updateType');
  if (type !== UpdateType.orders) throw new DecodeError('updateType', `is ${type}, wanted ${UpdateType.orders}`, 0);
  reader.skip(2, 'pad2OctetsA');
  const count = reader.u16('numberOrders');
  reader.skip(2, 'pad2OctetsB');
  return { count, reader };
}

/** Data of a fast-path update of these orders. */
export function writeFastPathOrders(orders: readonly Uint8Array[]): Uint8Array {
  return writeOrders(new Writer(1024).u16(orders.length), orders);
}

/** Body of a slow-path update of these orders, updateType included. */
export function writeSlowPathOrders(orders: readonly Uint8Array[]): Uint8Array {
  return writeOrders(new Writer(1024).u16(UpdateType.orders).u16(0).u16(orders.length).u16(0), orders);
}

function writeOrders(writer: Writer, orders: readonly Uint8Array[]): Uint8Array {
  for (const order of orders) writer.raw(order);
  return writer.finish();
}
