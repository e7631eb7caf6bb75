/**
 * The codecs of the Bitmap Codecs Capability Set that are decoded here: their GUIDs (MS-RDPBCGR 2.2.7.2.10.1.1) and what a
 * client says about them (MS-RDPRFX 2.2.1.1, MS-RDPNSC 2.2.1). Little-endian.
 */
import { Writer } from '../bytes.ts';
import type { BitmapCodec } from './bitmap-codecs.ts';

/** Names by which config records call codecs (docs/recording-format.md), and their GUIDs as on the wire. */
export const codecGuids = {
  remotefx: guid('76772f12-bd72-4463-afb3-b73c9c6f7886'),
  'image-remotefx': guid('2744ccd4-9d8a-4e74-803c-0ecbeea19c54'),
  nscodec: guid('ca8d1bb9-000f-154f-589f-ae2d1a87e2d6'),
} as const;

export type CodecName = keyof typeof codecGuids;

const capsBlock = 0xcbc0;
const capsetBlock = 0xcbc1;
const capset = 0xcfc0;
const version1 = 0x0100;
const tileSize = 0x40;
const colorConversionIct = 1;
const transformDwt53 = 1;
/** The server may mix RemoteFX with other codecs and bitmaps. */
const captureNonCac = 1;
const entropies = [1, 4];

/** The wire form of a GUID's string form: its first three groups are byte-swapped. */
function guid(text: string): Uint8Array {
  const bytes = Uint8Array.from(text.replaceAll('-', '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return Uint8Array.of(...[3, 2, 1, 0, 5, 4, 7, 6].map((at) => bytes[at]), ...bytes.subarray(8));
}

export function isCodecName(name: string): name is CodecName {
  return Object.hasOwn(codecGuids, name);
}

/** The name of a codec that is decoded here, or null. */
export function codecName({ codecGuid }: BitmapCodec): CodecName | null {
  for (const [name, bytes] of Object.entries(codecGuids)) {
    if (bytes.every((byte, i) => byte === codecGuid[i])) return name as CodecName;
  }
  return null;
}

/**
 * TS_RFX_CLNT_CAPS_CONTAINER: version 1.0, tiles of 64 × 64, RLGR1 and RLGR3.
 * @param imageMode true to take image mode alone, false to take video mode as well
 */
export function writeRemoteFxProperties(imageMode: boolean): Uint8Array {
  const set = new Writer(32).u8(1).u16(capset).u16(entropies.length).u16(8);
  for (const entropy of entropies) {
    const flags = imageMode ? 0x02 : 0;
    set.u16(version1).u16(tileSize).u8(flags).u8(colorConversionIct).u8(transformDwt53).u8(entropy);
  }
  const body = set.finish();
  const blocks = new Writer(64)
    .u16(capsBlock)
    .u32(8)
    .u16(1)
    .u16(capsetBlock)
    .u32(6 + body.length)
    .raw(body)
    .finish();
  return new Writer(64)
    .u32(12 + blocks.length)
    .u32(captureNonCac)
    .u32(blocks.length)
    .raw(blocks)
    .finish();
}

/**
 * TS_NSCODEC_CAPABILITYSET.
 * @param colorLossLevel 1 (none) to 7: the most that the server may take off colours
 */
export function writeNsCodecProperties(
  dynamicFidelity: boolean,
  subsampling: boolean,
  colorLossLevel: number,
): Uint8Array {
  return Uint8Array.of(dynamicFidelity ? 1 : 0, subsampling ? 1 : 0, colorLossLevel);
}
