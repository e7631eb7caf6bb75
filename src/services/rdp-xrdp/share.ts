/** The share between a client and whoever is its server, as far as the gateway must know it. */

import { DecodeError } from '#rdp/bytes.ts';
import type { BitsPerPixel } from '#rdp/codec/pixel.ts';
import { isBitsPerPixel } from '#rdp/codec/pixel.ts';
import { isScreenSize } from '#rdp/graphics/screen.ts';
import type { DemandActive } from '#rdp/pdu/active.ts';
import { findCapability } from '#rdp/pdu/capability-set.ts';
import { SERVER_USER_ID, writeDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { writeShareData } from '#rdp/pdu/share-data.ts';

export interface Share {
  id: number;
  /** Pixels. */
  width: number;
  height: number;
  depth: BitsPerPixel;
  /** Whether the client has finished activation: only then may something be drawn. */
  isOpen: boolean;
}

/** The share that a Demand Active offers. @throws DecodeError when it names no usable screen */
export function shareOf(demand: DemandActive): Share {
  const bitmap = findCapability(demand.capabilitySets, 'bitmap');
  if (bitmap === undefined) throw new DecodeError('Demand Active', 'has no bitmap capability set', 0);
  const { desktopWidth: width, desktopHeight: height, preferredBitsPerPixel: depth } = bitmap;
  if (!isScreenSize(width, height)) throw new DecodeError('desktopWidth', `is ${width}, with height ${height}`, 0);
  if (!isBitsPerPixel(depth)) throw new DecodeError('preferredBitsPerPixel', `is ${depth}`, 0);
  return { id: demand.shareId, width, height, depth, isOpen: false };
}

/** A frame to the client with a share data PDU of the gateway's own. */
export function shareDataFrame(share: Share, ioChannelId: number, type: number, body: Uint8Array): Uint8Array {
  const payload = writeShareData(share.id, SERVER_USER_ID, type, body);
  return writeDomainPdu({ kind: 'sendDataIndication', initiator: SERVER_USER_ID, channelId: ioChannelId, payload });
}
