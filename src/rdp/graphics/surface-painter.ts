/**
 * Paints what surface commands bring ([MS-RDPBCGR] 2.2.9.2): bitmaps of the codecs that the client announced, each by the
 * number that the client gave it, and uncompressed ones.
 */
import { DecodeError } from '../bytes.ts';
import { BitmapDecoder } from '../codec/bitmap-decoder.ts';
import { NsCodecDecoder } from '../codec/nscodec.ts';
import { RemoteFxDecoder } from '../codec/remotefx/remotefx-decoder.ts';
import { TILE_SIZE } from '../codec/remotefx/sub-bands.ts';
import { type CodecName, isCodecName } from '../pdu/codec-properties.ts';
import type { SurfaceBits } from '../pdu/surface-commands.ts';
import { type Rectangle, rectangle } from './rectangle.ts';
import type { Screen } from './screen.ts';
import type { SurfaceState } from './surface-state.ts';

/** The codec's number of bitmaps that no codec made. */
const UNCOMPRESSED = 0;
/** Pixels by which a bitmap may exceed the desktop, as encoders of blocks make them. */
const MAX_PADDING = 64;
const NO_PALETTE = new Uint32Array(0);

export class SurfacePainter {
  /** By the number that surface commands name them by. */
  #codecs: ReadonlyMap<number, CodecName> = new Map();
  /** Both modes of RemoteFX are one stream to a client. */
  readonly #remoteFx = new RemoteFxDecoder();
  readonly #nsCodec = new NsCodecDecoder();
  readonly #bitmaps = new BitmapDecoder();
  readonly #screen: Screen;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /**
   * Takes the numbers that a config record gives the codecs; names that are not decoded here are passed over.
   * @param codecs number in decimal → name
   */
  setCodecs(codecs: Readonly<Record<string, string>>): void {
    const known = new Map<number, CodecName>();
    for (const [id, name] of Object.entries(codecs)) {
      const number = Number(id);
      if (isCodecName(name) && Number.isInteger(number) && number > 0 && number <= 0xff) known.set(number, name);
    }
    this.#codecs = known;
  }

  /** What later commands depend on. */
  get state(): SurfaceState {
    return { codecs: this.#codecs, remoteFx: this.#remoteFx.context };
  }

  /** Goes on where another painter stood. */
  restore({ codecs, remoteFx }: SurfaceState): void {
    this.#codecs = codecs;
    this.#remoteFx.context = remoteFx;
  }

  /**
   * Paints a bitmap.
   * @param dirty is told each rectangle that changed
   * @throws DecodeError for a codec that was not announced, and what its data cannot be decoded to
   */
  paint(bits: SurfaceBits, dirty: (area: Rectangle) => void): void {
    const codec = this.#codecs.get(bits.codecId);
    if (codec === 'remotefx' || codec === 'image-remotefx') {
      this.#paintRemoteFx(bits, dirty);
      return;
    }
    const { left, top, right, bottom, width, height } = bits;
    if (width > this.#screen.width + MAX_PADDING || height > this.#screen.height + MAX_PADDING) {
      throw new DecodeError('bitmap', `of ${width} x ${height} is larger than the desktop`, 0);
    }
    const words = codec === 'nscodec' ? this.#nsCodec.decode(bits.data, width, height) : this.#readUncompressed(bits);
    const painted = this.#screen.blitBottomUp(words, width, height, { left, top, right, bottom });
    if (painted !== null) dirty(painted);
  }

  #paintRemoteFx({ left, top, data }: SurfaceBits, dirty: (area: Rectangle) => void): void {
    this.#remoteFx.decode(data, (words, tileLeft, tileTop, region) => {
      const tile = rectangle(left + tileLeft, top + tileTop, TILE_SIZE, TILE_SIZE);
      for (const part of region) {
        const shown = {
          left: left + part.left,
          top: top + part.top,
          right: left + part.right,
          bottom: top + part.bottom,
        };
        const painted = this.#screen.blit(words, TILE_SIZE, tile, shown);
        if (painted !== null) dirty(painted);
      }
    });
  }

  #readUncompressed({ codecId, width, height, bitsPerPixel, data }: SurfaceBits): Uint32Array {
    if (codecId !== UNCOMPRESSED) throw new DecodeError('codecID', `${codecId} was not announced`, 0);
    if (bitsPerPixel !== 32) throw new DecodeError('bpp', `is ${bitsPerPixel} without codec, wanted 32`, 0);
    return this.#bitmaps.decode({ width, height, bitsPerPixel, compressed: false, data }, NO_PALETTE);
  }
}
