/** Records in words: what `lucid dump` prints of each. */
import { FormatError } from '#evidence/format-error.ts';
import { readIndex } from '#evidence/index-record.ts';
import { readKeyframe } from '#evidence/keyframe.ts';
import type { StreamedRecord } from '#evidence/node/bundle-reader.ts';
import { RecordType } from '#evidence/record.ts';
import { readChannelBody, readConfigBody, readMarkerBody } from '#evidence/record-body.ts';
import { toHex } from '#evidence/text.ts';
import { DecodeError } from '#rdp/bytes.ts';
import { readFastPathInput } from '#rdp/pdu/fast-path-input.ts';
import { FastPathUpdateCode, readFastPathOutput } from '#rdp/pdu/fast-path-output.ts';
import { readInputPdu } from '#rdp/pdu/input.ts';
import { readDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { readShareControls, ShareControlType } from '#rdp/pdu/share-control.ts';
import { readShareData, ShareDataType } from '#rdp/pdu/share-data.ts';
import { readUpdateType, UpdateType } from '#rdp/pdu/update.ts';
import { ChannelFlag, readChannelChunk } from '#rdp/pdu/virtual-channel.ts';

const TYPE_NAMES = names(RecordType);
const UPDATE_CODES = names(FastPathUpdateCode);
const CONTROL_TYPES = names(ShareControlType);
const DATA_TYPES = names(ShareDataType);
const UPDATE_TYPES = names(UpdateType);

/** A record as an object to print: where it stands, and what is in it; `error` where a body cannot be read. */
export function describeRecord({ stream, record, leaf }: StreamedRecord): Record<string, unknown> {
  const { seq, time, type, body } = record;
  const head = { seq, seconds: time / 1e6, stream, chunk: leaf.index, type: TYPE_NAMES.get(type), bytes: body.length };
  try {
    return { ...head, ...describeBody(type, body) };
  } catch (error) {
    if (error instanceof FormatError || error instanceof DecodeError) return { ...head, error: error.message };
    throw error;
  }
}

function describeBody(type: RecordType, body: Uint8Array): Record<string, unknown> {
  switch (type) {
    case RecordType.config:
      return { config: readConfigBody(body) };
    case RecordType.marker:
    case RecordType.inputMarker:
      return { marker: readMarkerBody(body) };
    case RecordType.serverPdu:
      return isFastPath(body) ? { path: 'fast', updates: fastPathUpdates(body) } : { path: 'slow', ...slowPath(body) };
    case RecordType.clientPdu:
      return isFastPath(body) ? { path: 'fast', events: readFastPathInput(body) } : { path: 'slow', ...slowPath(body) };
    case RecordType.channelData: {
      const { direction, channel, data } = readChannelBody(body);
      const { length, flags } = readChannelChunk(data);
      const set = Object.entries(ChannelFlag).filter(([, bit]) => (flags & bit) !== 0);
      return { direction, channel, messageBytes: length, flags: set.map(([name]) => name) };
    }
    case RecordType.keyframe: {
      const { width, height, sha256, png, state } = readKeyframe(body);
      return { width, height, sha256: toHex(sha256), pngBytes: png.length, stateBytes: state.length };
    }
    case RecordType.index: {
      const { thumbnails, ...index } = readIndex(body);
      return {
        index: { ...index, thumbnails: thumbnails.map(({ png, ...rest }) => ({ ...rest, pngBytes: png.length })) },
      };
    }
  }
}

function isFastPath(frame: Uint8Array): boolean {
  return frame.length > 0 && (frame[0] & 3) === 0;
}

function fastPathUpdates(frame: Uint8Array): Record<string, unknown>[] {
  return Array.from(readFastPathOutput(frame), ({ code, data }) => ({
    update: nameOf(UPDATE_CODES, code),
    bytes: data.length,
  }));
}

function slowPath(frame: Uint8Array): Record<string, unknown> {
  const pdu = readDomainPdu(frame);
  if (pdu.kind !== 'sendDataIndication' && pdu.kind !== 'sendDataRequest') return { mcs: pdu.kind };
  return { pdus: readShareControls(pdu.payload).map(({ type, body }) => describeShare(type, body)) };
}

function describeShare(type: number, body: Uint8Array): Record<string, unknown> {
  if (type !== ShareControlType.data) return { pdu: nameOf(CONTROL_TYPES, type) };
  const data = readShareData(body);
  const pdu = nameOf(DATA_TYPES, data.type);
  if (data.type === ShareDataType.update) return { pdu, update: nameOf(UPDATE_TYPES, readUpdateType(data.body)) };
  if (data.type === ShareDataType.input) return { pdu, events: readInputPdu(data.body).map(withoutBytes) };
  return { pdu };
}

/** An event of an unknown kind, its bytes in hexadecimal. */
function withoutBytes(event: ReturnType<typeof readInputPdu>[number]): Record<string, unknown> {
  return event.kind === 'unknown' ? { ...event, data: toHex(event.data) } : event;
}

function names(values: Readonly<Record<string, number>>): ReadonlyMap<number, string> {
  return new Map(Object.entries(values).map(([name, value]) => [value, name]));
}

function nameOf(known: ReadonlyMap<number, string>, value: number): string {
  return known.get(value) ?? `unknown (0x${value.toString(16)})`;
}
