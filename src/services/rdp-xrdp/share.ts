/** The share between a client and whoever is its server, as far as the gateway must know it. */

import { DecodeError, Writer } from '#rdp/bytes.ts';
import type { BitsPerPixel } from '#rdp/codec/pixel.ts';
import { isBitsPerPixel } from '#rdp/codec/pixel.ts';
import { isScreenSize } from '#rdp/graphics/screen.ts';
import type { DemandActive } from '#rdp/pdu/active.ts';
import { findCapability } from '#rdp/pdu/capability-set.ts';
import { SERVER_USER_ID, writeDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { ShareControlType, writeShareControl } from '#rdp/pdu/share-control.ts';
import { writeShareData } from '#rdp/pdu/share-data.ts';

export interface Share {
  id: number;
  /** Pixels. */
  width: number;
  height: number;
  depth: BitsPerPixel;
  /** Whether the client has finished activation: only then may something be drawn. */
  isOpen: boolean;
  /** What the server says that it does when asked: to send a part of the screen again, and to send none. */
  canRefresh: boolean;
  canSuppress: boolean;
}

/** The share that a Demand Active offers. @throws DecodeError when it names no usable screen */
export function shareOf(demand: DemandActive): Share {
  const bitmap = findCapability(demand.capabilitySets, 'bitmap');
  if (bitmap === undefined) throw new DecodeError('Demand Active', 'has no bitmap capability set', 0);
  const { desktopWidth: width, desktopHeight: height, preferredBitsPerPixel: depth } = bitmap;
  if (!isScreenSize(width, height)) throw new DecodeError('desktopWidth', `is ${width}, with height ${height}`, 0);
  if (!isBitsPerPixel(depth)) throw new DecodeError('preferredBitsPerPixel', `is ${depth}`, 0);
  const general = findCapability(demand.capabilitySets, 'general');
  const canRefresh = general?.refreshRectSupport === 1;
  const canSuppress = general?.suppressOutputSupport === 1;
  return { id: demand.shareId, width, height, depth, isOpen: false, canRefresh, canSuppress };
}

/** A frame to the client with a share data PDU of the gateway's own. */
export function shareDataFrame(share: Share, ioChannelId: number, type: number, body: Uint8Array): Uint8Array {
  const payload = writeShareData(share.id, SERVER_USER_ID, type, body);
  return writeDomainPdu({ kind: 'sendDataIndication', initiator: SERVER_USER_ID, channelId: ioChannelId, payload });
}

/** A frame to the client that takes its share away (MS-RDPBCGR 2.2.3.1), with an empty source descriptor. */
export function deactivateAllFrame({ id }: Share, ioChannelId: number): Uint8Array {
  const body = new Writer(7).u32(id).u16(1).u8(0).finish();
  const payload = writeShareControl(ShareControlType.deactivateAll, SERVER_USER_ID, body);
  return writeDomainPdu({ kind: 'sendDataIndication', initiator: SERVER_USER_ID, channelId: ioChannelId, payload });
}
