/**
 * What surface commands leave behind besides pixels, as part of a screen's state. Little-endian:
 *
 * u8 codecs, each: u8 number, u8 codec (1 RemoteFX, 2 image RemoteFX, 3 NSCodec) | u8 entropy algorithm of RemoteFX, 0 before
 * its first header | [u16 channel width, u16 channel height]
 */
import type { Reader, Writer } from '../bytes.ts';
import type { RemoteFxContext } from '../codec/remotefx/blocks.ts';
import { isEntropyAlgorithm } from '../codec/remotefx/rlgr.ts';
import type { CodecName } from '../pdu/codec-properties.ts';

export interface SurfaceState {
  /** Codecs by the number that surface commands name them by. */
  readonly codecs: ReadonlyMap<number, CodecName>;
  /** What RemoteFX's headers said last, or null before the first. */
  readonly remoteFx: RemoteFxContext | null;
}

/** Codecs in the order of their values, from 1. */
const CODECS: readonly CodecName[] = ['remotefx', 'image-remotefx', 'nscodec'];

export function emptySurfaceState(): SurfaceState {
  return { codecs: new Map(), remoteFx: null };
}

export function isEmptySurfaceState({ codecs, remoteFx }: SurfaceState): boolean {
  return codecs.size === 0 && remoteFx === null;
}

export function writeSurfaceState(writer: Writer, { codecs, remoteFx }: SurfaceState): void {
  writer.u8(codecs.size);
  for (const [id, name] of codecs) writer.u8(id).u8(CODECS.indexOf(name) + 1);
  writer.u8(remoteFx?.entropyAlgorithm ?? 0);
  if (remoteFx !== null) writer.u16(remoteFx.width).u16(remoteFx.height);
}

/** @throws DecodeError when the bytes are cut short or name what is not known */
export function readSurfaceState(reader: Reader): SurfaceState {
  const codecs = new Map<number, CodecName>();
  for (let left = reader.u8('codecs'); left > 0; left--) {
    const id = reader.u8('codec number');
    const codec = reader.u8('codec');
    const name = CODECS[codec - 1];
    if (name === undefined) throw reader.error('codec', `is ${codec}, wanted 1 to ${CODECS.length}`);
    codecs.set(id, name);
  }
  const entropyAlgorithm = reader.u8('entropy algorithm');
  if (entropyAlgorithm === 0) return { codecs, remoteFx: null };
  if (!isEntropyAlgorithm(entropyAlgorithm)) throw reader.error('entropy algorithm', `is ${entropyAlgorithm}`);
  const width = reader.u16('channel width');
  const height = reader.u16('channel height');
  return { codecs, remoteFx: { width, height, entropyAlgorithm } };
}
