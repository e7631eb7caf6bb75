/** Turns what changed on a screen into the updates that a client asked for. */
import type { MppcEncoder } from '#rdp/bulk/mppc-encoder.ts';
import { encodeBitmap } from '#rdp/codec/bitmap-encoder.ts';
import { RGB332_PALETTE } from '#rdp/codec/pack-pixels.ts';
import type { BitsPerPixel } from '#rdp/codec/pixel.ts';
import type { Screen } from '#rdp/graphics/screen.ts';
import { type BitmapData, BitmapFlag, writeBitmapUpdate } from '#rdp/pdu/bitmap-update.ts';
import {
  FastPathUpdateCode,
  Fragmentation,
  writeFastPathUpdate,
  writeFastPathUpdates,
} from '#rdp/pdu/fast-path-output.ts';
import { SERVER_USER_ID, writeDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { writePaletteUpdate } from '#rdp/pdu/palette-update.ts';
import { fastPathPointer, type PointerUpdate, writePointerPdu } from '#rdp/pdu/pointer-update.ts';
import { ShareDataType, writeCompressedShareData, writeShareData } from '#rdp/pdu/share-data.ts';

/** What a client's Confirm Active settles. */
export interface SendingMode {
  shareId: number;
  ioChannelId: number;
  bitsPerPixel: BitsPerPixel;
  fastPath: boolean;
  /** Compressed bitmaps go without their 8-byte header. */
  noCompressionHeader: boolean;
  /** What the connection's pictures are compressed with as they are sent; null for nothing. */
  bulk: MppcEncoder | null;
}

/** A multiple of 4, and small enough that a tile fits one update even when it does not compress. */
const tileSize = 64;

export class ScreenSender {
  readonly #mode: SendingMode;
  #shown: Uint32Array | null = null;

  constructor(mode: SendingMode) {
    this.#mode = mode;
  }

  /** The next `changes` sends everything: the client has lost what it was shown. */
  forget(): void {
    this.#shown = null;
  }

  /**
   * @param screen its width is a multiple of 4
   * @param width pixels of a row that belong to the desktop
   * @returns frames that bring a client from what `changes` gave before to what the screen shows now
   */
  changes(screen: Screen, width: number): Uint8Array[] {
    const shown = this.#shown;
    const frames: Uint8Array[] = [];
    if (!shown && this.#mode.bitsPerPixel === 8) frames.push(...this.#palette());
    for (let top = 0; top < screen.height; top += tileSize)
      for (let left = 0; left < width; left += tileSize)
        if (!shown || differs(screen, shown, left, top)) frames.push(...this.#tile(screen, left, top, width));
    this.#shown = shown ?? new Uint32Array(screen.words.length);
    this.#shown.set(screen.words);
    return frames;
  }

  /** @returns frames that change the client's pointer */
  pointer(update: PointerUpdate): Uint8Array[] {
    if (!this.#mode.fastPath) return [this.#slow(ShareDataType.pointer, writePointerPdu(update))];
    const { code, data } = fastPathPointer(update);
    return this.#fast(code, data);
  }

  #tile(screen: Screen, left: number, top: number, desktopWidth: number): Uint8Array[] {
    const { bitsPerPixel, noCompressionHeader } = this.#mode;
    const width = Math.min(tileSize, screen.width - left);
    const height = Math.min(tileSize, screen.height - top);
    const tile: BitmapData = {
      left,
      top,
      right: Math.min(left + width, desktopWidth) - 1,
      bottom: top + height - 1,
      width,
      height,
      bitsPerPixel,
      flags: BitmapFlag.compressed | (noCompressionHeader ? BitmapFlag.noCompressionHeader : 0),
      data: encodeBitmap(screen.words, screen.width, left, top, width, height, bitsPerPixel),
    };
    return this.#graphics(FastPathUpdateCode.bitmap, writeBitmapUpdate([tile]));
  }

  #palette(): Uint8Array[] {
    const colours = new Uint8Array(768);
    RGB332_PALETTE.forEach((word, i) => {
      colours.set([word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff], i * 3);
    });
    return this.#graphics(FastPathUpdateCode.palette, writePaletteUpdate(colours));
  }

  #graphics(code: number, update: Uint8Array): Uint8Array[] {
    return this.#mode.fastPath ? this.#fast(code, update) : [this.#slow(ShareDataType.update, update)];
  }

  #fast(code: number, update: Uint8Array): Uint8Array[] {
    const { bulk } = this.#mode;
    // An update that needs fragments goes as it is.
    if (!bulk || !isWorthCompressing(update)) return writeFastPathUpdate(code, update);
    const { flags, data } = bulk.encode(update);
    return [writeFastPathUpdates([{ code, fragmentation: Fragmentation.single, compressionFlags: flags, data }])];
  }

  #slow(type: number, body: Uint8Array): Uint8Array {
    const { bulk, shareId, ioChannelId: channelId } = this.#mode;
    const packet = bulk && isWorthCompressing(body) ? bulk.encode(body) : null;
    const payload = packet
      ? writeCompressedShareData(shareId, SERVER_USER_ID, type, packet.flags, packet.data, body.length)
      : writeShareData(shareId, SERVER_USER_ID, type, body);
    return writeDomainPdu({ kind: 'sendDataIndication', initiator: SERVER_USER_ID, channelId, payload });
  }
}

function isWorthCompressing({ length }: Uint8Array): boolean {
  return length > 50 && length < 16_000;
}

function differs(screen: Screen, shown: Uint32Array, left: number, top: number): boolean {
  const { words, width } = screen;
  const right = Math.min(left + tileSize, width);
  const bottom = Math.min(top + tileSize, screen.height);
  for (let y = top; y < bottom; y++)
    for (let at = y * width + left; at < y * width + right; at++) if (words[at] !== shown[at]) return true;
  return false;
}
