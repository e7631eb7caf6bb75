/**
 * What a client announces so that its server sends surface commands of codecs that ScreenDecoder reads, and what a gateway
 * lets pass of what others announce ([MS-RDPBCGR] 2.2.7.2.9, 2.2.7.2.10; [MS-RDPRFX] 2.2.1).
 */
import type { BitmapCodec } from '../pdu/bitmap-codecs.ts';
import {
  type BitmapCodecsCapability,
  type CapabilityOf,
  type CapabilitySet,
  capability,
  findCapability,
} from '../pdu/capability-set.ts';
import {
  type CodecName,
  codecGuids,
  codecName,
  writeNsCodecProperties,
  writeRemoteFxProperties,
} from '../pdu/codec-properties.ts';
import { SurfaceCommandFlag } from '../pdu/surface-commands.ts';
import { MAX_FRAGMENTED_UPDATE } from './screen-decoder.ts';

/** cmdFlags of all surface commands that are decoded here. */
export const SURFACE_COMMANDS =
  SurfaceCommandFlag.setSurfaceBits | SurfaceCommandFlag.frameMarker | SurfaceCommandFlag.streamSurfaceBits;

/** Numbers that our own clients give the codecs; NSCodec's is always 1 ([MS-RDPBCGR] 2.2.7.2.10.1.1). */
export const CODEC_IDS: Readonly<Record<CodecName, number>> = { nscodec: 1, remotefx: 3, 'image-remotefx': 4 };

/** Frames that a server may send ahead of the last one acknowledged. */
const FRAMES_IN_FLIGHT = 2;
/** largePointerSupportFlags: 96 × 96 and 384 × 384 pixels. */
const LARGE_POINTERS = 0x0003;
/** What NSCodec may take off colours: as stock clients allow. */
const COLOR_LOSS_LEVEL = 3;

/** The entry of the Bitmap Codecs Capability Set by which a client of ours announces a codec. */
export function announceCodec(name: CodecName): BitmapCodec {
  const properties =
    name === 'nscodec'
      ? writeNsCodecProperties(true, true, COLOR_LOSS_LEVEL)
      : writeRemoteFxProperties(name === 'image-remotefx');
  return { codecGuid: codecGuids[name], codecId: CODEC_IDS[name], properties };
}

/**
 * The capability sets that make a server send surface commands: all that the recording profile "RemoteFX" announces beyond
 * bitmaps.
 * @param codecs those to announce; servers choose among them
 */
export function surfaceCapabilities(codecs: readonly CodecName[]): CapabilitySet[] {
  return [
    capability('multifragmentUpdate', { maxRequestSize: MAX_FRAGMENTED_UPDATE }),
    capability('largePointer', { largePointerSupportFlags: LARGE_POINTERS }),
    capability('surfaceCommands', { cmdFlags: SURFACE_COMMANDS }),
    { kind: 'bitmapCodecs', codecs: codecs.map(announceCodec), rest: new Uint8Array(0) },
    capability('frameAcknowledge', { maxUnacknowledgedFrameCount: FRAMES_IN_FLIGHT }),
  ];
}

/** Whether a client announces enough for a server to send RemoteFX that is decoded here. */
export function offersRemoteFx(sets: readonly CapabilitySet[]): boolean {
  const flags = findCapability(sets, 'surfaceCommands')?.cmdFlags ?? 0;
  const names = Object.values(codecNumbers(findCapability(sets, 'bitmapCodecs')?.codecs ?? []));
  return (flags & SurfaceCommandFlag.streamSurfaceBits) !== 0 && names.some((name) => name !== 'nscodec');
}

/** What becomes of each set of a client or server that concerns surface commands. */
export const surfaceEdits = {
  surfaceCommands: (set: CapabilityOf<'surfaceCommands'>): CapabilityOf<'surfaceCommands'> => ({
    ...set,
    cmdFlags: set.cmdFlags & SURFACE_COMMANDS,
  }),
  /** Of the codecs only those that are decoded here, each as it was announced. */
  bitmapCodecs: (set: BitmapCodecsCapability): BitmapCodecsCapability => ({
    ...set,
    codecs: set.codecs.filter((codec) => codecName(codec) !== null),
  }),
  frameAcknowledge: (set: CapabilityOf<'frameAcknowledge'>): CapabilityOf<'frameAcknowledge'> => set,
};

/** A client's codecs as config records have them: number in decimal → name. */
export function codecNumbers(codecs: readonly BitmapCodec[]): Record<string, CodecName> {
  const named = codecs.map((codec) => [String(codec.codecId), codecName(codec)] as const);
  return Object.fromEntries(named.filter((pair): pair is readonly [string, CodecName] => pair[1] !== null));
}
