/** Compares a recording with what a client was really shown: the same PDUs, and from them the same pixels. */
import { inflateSync } from 'node:zlib';
import type { AgeIdentity } from '#evidence/node/age-keys.ts';
import { BundleReader } from '#evidence/node/bundle-reader.ts';
import type { BundleSource } from '#evidence/node/bundle-source.ts';
import type { Player } from '#evidence/node/verify-records.ts';
import { RecordType } from '#evidence/record.ts';
import { applyScreenRecord } from '#evidence/replayed-screen.ts';
import { readPng } from '#rdp/graphics/png.ts';
import { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';
import { readDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { readSaveSessionInfo } from '#rdp/pdu/save-session-info.ts';
import { readShareControls, ShareControlType } from '#rdp/pdu/share-control.ts';
import { readShareData, ShareDataType } from '#rdp/pdu/share-data.ts';
import { TPKT_VERSION } from '#rdp/pdu/x224.ts';

export interface Replayed {
  /** PDUs that the client was shown and that the recording holds, byte for byte. */
  pdus: number;
  /** Keystrokes and mouse events are recorded too: how many PDUs of them. */
  inputPdus: number;
  /** The screen, replayed up to the last PDU that the client was shown. */
  screen: ScreenDecoder;
}

/** Decoders for `verifyBundle`. */
export const player: Player = {
  makeScreen: () => new ScreenDecoder(),
  readPng: (png) => readPng(png, (bytes, limit) => inflateSync(bytes, { maxOutputLength: limit })),
};

/**
 * Replays a recording PDU by PDU beside what a client kept.
 * @param shown every frame that the client was shown, in order
 * @throws Error at the first PDU that differs or is missing
 */
export function replayBeside(
  source: BundleSource,
  identities: readonly AgeIdentity[],
  shown: readonly Uint8Array[],
): Replayed {
  const expected = shown.filter((frame) => !isReconnectCookie(frame));
  const screen = new ScreenDecoder();
  let pdus = 0;
  let inputPdus = 0;
  for (const { record } of new BundleReader(source, identities).records(['screen', 'input'])) {
    if (record.type === RecordType.clientPdu) inputPdus++;
    if (pdus === expected.length || record.type === RecordType.clientPdu) continue;
    if (record.type === RecordType.serverPdu) {
      if (Buffer.compare(record.body, expected[pdus]) !== 0)
        throw new Error(`PDU ${pdus} of the recording (record ${record.seq}) is not the one that the client was shown`);
      pdus++;
    }
    applyScreenRecord(screen, record);
  }
  if (pdus < expected.length)
    throw new Error(`the recording holds ${pdus} of the ${expected.length} PDUs that the client was shown`);
  return { pdus, inputPdus, screen };
}

/** Whether a frame is the gateway's own cookie: a secret between it and the client, and so in no recording. */
function isReconnectCookie(frame: Uint8Array): boolean {
  if (frame[0] !== TPKT_VERSION) return false;
  const pdu = readDomainPdu(frame);
  if (pdu.kind !== 'sendDataIndication') return false;
  return readShareControls(pdu.payload).some(({ type, body }) => {
    if (type !== ShareControlType.data) return false;
    const data = readShareData(body);
    if (data.type !== ShareDataType.saveSessionInfo) return false;
    const info = readSaveSessionInfo(data.body);
    return info.kind === 'extended' && info.autoReconnect !== null;
  });
}
