/** What a server PDU is about, without decoding any picture. */
import { DecodeError } from '#rdp/bytes.ts';
import { isScreenSize } from '#rdp/graphics/screen.ts';
import { readDemandActive } from '#rdp/pdu/active.ts';
import { readBitmapUpdate } from '#rdp/pdu/bitmap-update.ts';
import { findCapability } from '#rdp/pdu/capability-set.ts';
import { FastPathUpdateCode, Fragmentation, readFastPathOutput } from '#rdp/pdu/fast-path-output.ts';
import { readDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { readShareControls, type ShareControl, ShareControlType } from '#rdp/pdu/share-control.ts';
import { readShareData, ShareDataType } from '#rdp/pdu/share-data.ts';
import { readUpdateType, UpdateType } from '#rdp/pdu/update.ts';
import type { Size } from './canvas.ts';

export interface PduSummary {
  /** The desktop's size, where the PDU announces one. */
  readonly size: Size | null;
  /** Pixels that it paints, those painted twice counted twice; infinite when that takes other PDUs to know. */
  readonly painted: number;
}

const NOTHING: PduSummary = { size: null, painted: 0 };

/** @param pdu as recorded: a whole TPKT packet or fast-path frame. What cannot be read paints nothing */
export function inspectPdu(pdu: Uint8Array): PduSummary {
  try {
    if (pdu.length > 0 && (pdu[0] & 3) === 0) return { size: null, painted: paintedOnFastPath(pdu) };
    const domain = readDomainPdu(pdu);
    if (domain.kind !== 'sendDataIndication') return NOTHING;
    let [size, painted]: [Size | null, number] = [null, 0];
    for (const control of readShareControls(domain.payload)) {
      size = announcedSize(control) ?? size;
      painted += paintedBy(control);
    }
    return { size, painted };
  } catch (error) {
    if (error instanceof DecodeError) return NOTHING;
    throw error;
  }
}

function announcedSize({ type, body }: ShareControl): Size | null {
  if (type !== ShareControlType.demandActive) return null;
  const bitmap = findCapability(readDemandActive(body).capabilitySets, 'bitmap');
  if (bitmap === undefined || !isScreenSize(bitmap.desktopWidth, bitmap.desktopHeight)) return null;
  return { width: bitmap.desktopWidth, height: bitmap.desktopHeight };
}

function paintedBy({ type, body: control }: ShareControl): number {
  if (type !== ShareControlType.data) return 0;
  const { type: dataType, body } = readShareData(control);
  return dataType === ShareDataType.update && readUpdateType(body) === UpdateType.bitmap ? pixelsOf(body) : 0;
}

function paintedOnFastPath(frame: Uint8Array): number {
  let painted = 0;
  for (const { code, fragmentation, data } of readFastPathOutput(frame)) {
    if (code !== FastPathUpdateCode.bitmap) continue;
    painted += fragmentation === Fragmentation.single ? pixelsOf(data) : Number.POSITIVE_INFINITY;
  }
  return painted;
}

function pixelsOf(update: Uint8Array): number {
  let pixels = 0;
  for (const { left, top, right, bottom } of readBitmapUpdate(update))
    pixels += (right - left + 1) * (bottom - top + 1);
  return pixels;
}
