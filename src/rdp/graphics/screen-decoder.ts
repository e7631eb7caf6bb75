/**
 * Replays a server's PDUs to pixels: bitmaps and drawing orders on the slow and the fast path, and surface commands. The
 * same code replays in Node.js and in browsers, makes keyframes, and checks them.
 */
import { DecodeError } from '../bytes.ts';
import { BitmapDecoder } from '../codec/bitmap-decoder.ts';
import { OPAQUE, rgbx } from '../codec/pixel.ts';
import { type OrderSupport, readOrderSupport } from '../order/order-support.ts';
import { type OrdersUpdate, readFastPathOrders, readSlowPathOrders } from '../order/orders-update.ts';
import { readDemandActive } from '../pdu/active.ts';
import { type BitmapData, BitmapFlag, readBitmapUpdate } from '../pdu/bitmap-update.ts';
import { BulkFlag } from '../pdu/bulk-flags.ts';
import { findCapability } from '../pdu/capability-set.ts';
import {
  FastPathReassembler,
  type FastPathUpdate,
  FastPathUpdateCode,
  readFastPathOutput,
} from '../pdu/fast-path-output.ts';
import { readDomainPdu } from '../pdu/mcs-domain.ts';
import { readPaletteUpdate } from '../pdu/palette-update.ts';
import { type PointerUpdate, readFastPathPointer, readPointerPdu } from '../pdu/pointer-update.ts';
import { readShareControls, type ShareControl, ShareControlType } from '../pdu/share-control.ts';
import { readShareData, ShareDataType } from '../pdu/share-data.ts';
import { FrameAction, readSurfaceCommands } from '../pdu/surface-commands.ts';
import { readUpdateType, UpdateType } from '../pdu/update.ts';
import type { DecodeCounts, DesktopConfig, ScreenListener } from './decode-report.ts';
import { OrderDecoder } from './order-decoder.ts';
import { readOrderState, writeOrderState } from './order-state.ts';
import { PointerState } from './pointer-state.ts';
import { isScreenSize, Screen } from './screen.ts';
import { readScreenState, writeScreenState } from './screen-state.ts';
import { SurfacePainter } from './surface-painter.ts';

/** Greatest fragmented update, in bytes: what the recording profile announces at most (MultifragmentUpdate). */
export const MAX_FRAGMENTED_UPDATE = 8 * 1024 * 1024;

export class ScreenDecoder {
  readonly screen: Screen;
  readonly pointer: PointerState;
  /** RGBX words of the palette indices. */
  readonly palette: Uint32Array;
  readonly counts: DecodeCounts = { decoded: 0, ignored: 0, undecodable: 0 };
  listener: ScreenListener = {};
  /** Why the last undecodable part was not understood; null while all was. */
  lastError: DecodeError | null = null;
  #depth: number;
  readonly #bitmaps = new BitmapDecoder();
  readonly #surfaces: SurfacePainter;
  readonly #fragments = new FastPathReassembler(MAX_FRAGMENTED_UPDATE);
  #orders: OrderDecoder | null = null;

  /**
   * A black screen, until PDUs paint it.
   * @param width of the desktop in pixels: a Demand Active may change it later
   * @param depth bits per pixel of the session
   * @throws RangeError when a desktop cannot have this size
   */
  constructor(width = 1, height = 1, depth = 32) {
    this.screen = new Screen(width, height);
    this.#surfaces = new SurfacePainter(this.screen);
    this.pointer = new PointerState();
    this.palette = new Uint32Array(256).fill(OPAQUE);
    this.#depth = depth;
  }

  get width(): number {
    return this.screen.width;
  }

  get height(): number {
    return this.screen.height;
  }

  /** Bits per pixel that the server announced last. */
  get depth(): number {
    return this.#depth;
  }

  /** R, G, B, 0xFF for each pixel, rows from the top, without the pointer; valid until the next resize. */
  get pixels(): Uint8Array<ArrayBuffer> {
    return this.screen.pixels;
  }

  /** Bytes of PDUs that were understood. */
  get decodedBytes(): number {
    return this.counts.decoded;
  }

  /** Bytes of PDUs, or of parts of them, that should have painted and could not be decoded. */
  get undecodableBytes(): number {
    return this.counts.undecodable;
  }

  /**
   * Applies one recorded server PDU. Never throws: what cannot be decoded is counted, and the rest is applied.
   * @param pdu a whole TPKT packet or fast-path frame, as sent to the client inside TLS, bulk compression undone
   */
  apply(pdu: Uint8Array): void {
    const before = { ...this.counts };
    this.#attempt(pdu.length, () => {
      if (pdu.length > 0 && (pdu[0] & 3) === 0) this.#applyFastPath(pdu);
      else this.#applySlowPath(pdu);
    });
    // A part that fails within a whole that fails is counted twice: no PDU counts for more than its length.
    const undecodable = Math.min(pdu.length, this.counts.undecodable - before.undecodable);
    const ignored = Math.min(pdu.length - undecodable, this.counts.ignored - before.ignored);
    this.counts.undecodable = before.undecodable + undecodable;
    this.counts.ignored = before.ignored + ignored;
    this.counts.decoded = before.decoded + pdu.length - undecodable - ignored;
  }

  /**
   * Takes what a config record says: a desktop's size and depth, its codecs' numbers, and the drawing orders that were
   * negotiated. Another size blackens the screen, other orders empty their caches. What cannot be changes nothing and is
   * told in `lastError`.
   */
  configure({ width, height, depth, codecs, orders }: DesktopConfig): void {
    this.#attempt(0, () => this.#resize(width, height, depth));
    this.#surfaces.setCodecs(codecs);
    this.#attempt(0, () => this.#negotiate(orders === undefined ? null : readOrderSupport(orders)));
  }

  #negotiate(support: OrderSupport | null): void {
    if (JSON.stringify(support) === JSON.stringify(this.#orders?.support ?? null)) return;
    this.#orders = support && new OrderDecoder(support, this.screen, this.palette);
  }

  #resize(width: number, height: number, depth: number): void {
    if (!isScreenSize(width, height)) throw new DecodeError('desktop size', `${width} x ${height} cannot be`, 0);
    this.#depth = depth;
    if (width === this.width && height === this.height) return;
    this.screen.resize(width, height);
    this.listener.resized?.(width, height);
  }

  /** Runs a step; a DecodeError in it makes `bytes` undecodable. */
  #attempt(bytes: number, step: () => void): void {
    try {
      step();
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.counts.undecodable += bytes;
      this.lastError = error;
    }
  }

  #applyFastPath(frame: Uint8Array): void {
    for (const update of readFastPathOutput(frame)) {
      this.#attempt(update.data.length, () => this.#applyFastPathUpdate(update));
    }
  }

  #applyFastPathUpdate(update: FastPathUpdate): void {
    const data = this.#fragments.push(update);
    if (data === null) return;
    switch (update.code) {
      case FastPathUpdateCode.orders:
        this.#applyOrders(readFastPathOrders(data));
        break;
      case FastPathUpdateCode.bitmap:
        this.#applyBitmaps(data);
        break;
      case FastPathUpdateCode.palette:
        this.#applyPalette(data);
        break;
      case FastPathUpdateCode.synchronize:
        break;
      case FastPathUpdateCode.surfaceCommands:
        this.#applySurfaceCommands(data);
        break;
      default: {
        const pointer = readFastPathPointer(update.code, data);
        if (pointer === null) throw new DecodeError('updateCode', `${update.code} was not announced`, 0);
        this.#applyPointer(pointer);
      }
    }
  }

  #applySlowPath(frame: Uint8Array): void {
    const pdu = readDomainPdu(frame);
    if (pdu.kind !== 'sendDataIndication' || isLicensing(pdu.payload)) {
      this.counts.ignored += frame.length;
      return;
    }
    for (const control of readShareControls(pdu.payload)) {
      this.#attempt(control.bytes.length, () => this.#applyShareControl(control));
    }
  }

  #applyShareControl(control: ShareControl): void {
    if (control.type === ShareControlType.demandActive) this.#activate(control.body);
    else if (control.type === ShareControlType.deactivateAll) this.#deactivate();
    else if (control.type === ShareControlType.data) this.#applyShareData(control);
    else this.counts.ignored += control.bytes.length;
  }

  /** What is in progress ends; caches outlast it, as a server fills anew what it does not count on. */
  #deactivate(): void {
    this.#fragments.reset();
    this.#orders?.history.reset();
  }

  #activate(body: Uint8Array): void {
    this.#deactivate();
    const bitmap = findCapability(readDemandActive(body).capabilitySets, 'bitmap');
    if (bitmap === undefined) throw new DecodeError('capabilitySets', 'have no bitmap capability', 0);
    this.#resize(bitmap.desktopWidth, bitmap.desktopHeight, bitmap.preferredBitsPerPixel);
  }

  #applyShareData(control: ShareControl): void {
    const { type, compressedType, body } = readShareData(control.body);
    const isPicture = type === ShareDataType.update || type === ShareDataType.pointer;
    if (!isPicture) this.counts.ignored += control.bytes.length;
    else if (compressedType & BulkFlag.compressed)
      throw new DecodeError('compressedType', 'the PDU is still compressed', 0);
    else if (type === ShareDataType.update) this.#applyUpdate(body);
    else {
      const pointer = readPointerPdu(body);
      if (pointer === null) throw new DecodeError('messageType', 'is of no known pointer message', 0);
      this.#applyPointer(pointer);
    }
  }

  #applyUpdate(body: Uint8Array): void {
    const type = readUpdateType(body);
    if (type === UpdateType.bitmap) this.#applyBitmaps(body);
    else if (type === UpdateType.orders) this.#applyOrders(readSlowPathOrders(body));
    else if (type === UpdateType.palette) this.#applyPalette(body);
    else if (type !== UpdateType.synchronize) {
      throw new DecodeError('updateType', `${type} is none`, 0);
    }
  }

  #applyOrders(update: OrdersUpdate): void {
    if (this.#orders === null) throw new DecodeError('orders', 'were not announced', 0);
    const attempt = (bytes: number, step: () => void) => this.#attempt(bytes, step);
    this.#orders.apply(update, this.#depth, attempt, (area) => this.listener.dirty?.(area));
  }

  #applyBitmaps(body: Uint8Array): void {
    for (const bitmap of readBitmapUpdate(body)) this.#attempt(bitmap.data.length, () => this.#applyBitmap(bitmap));
  }

  #applyBitmap(bitmap: BitmapData): void {
    const { width, height, bitsPerPixel, data, left, top } = bitmap;
    const compressed = (bitmap.flags & BitmapFlag.compressed) !== 0;
    const words = this.#bitmaps.decode({ width, height, bitsPerPixel, compressed, data }, this.palette);
    const target = { left, top, right: bitmap.right + 1, bottom: bitmap.bottom + 1 };
    const painted = this.screen.blitBottomUp(words, width, height, target);
    if (painted !== null) this.listener.dirty?.(painted);
  }

  #applySurfaceCommands(data: Uint8Array): void {
    for (const command of readSurfaceCommands(data)) {
      if (command.kind === 'bits') {
        this.#attempt(command.data.length, () => this.#surfaces.paint(command, (area) => this.listener.dirty?.(area)));
      } else if (command.action === FrameAction.end) this.listener.frameEnded?.(command.frameId);
    }
  }

  #applyPalette(body: Uint8Array): void {
    const colors = readPaletteUpdate(body);
    for (let i = 0; i < 256; i++) this.palette[i] = rgbx(colors[3 * i], colors[3 * i + 1], colors[3 * i + 2]);
  }

  #applyPointer(update: PointerUpdate): void {
    this.pointer.apply(update, this.palette);
    this.listener.pointerChanged?.(this.pointer);
  }

  /**
   * All that is needed to go on elsewhere, or later: size, palette, pointers, codecs, drawing orders' history and caches,
   * fragments in progress, counts.
   *
   * @param withPixels false where a picture of the pixels is kept beside the state, as in a keyframe
   */
  save(withPixels = true): Uint8Array<ArrayBuffer> {
    return writeScreenState({
      width: this.width,
      height: this.height,
      depth: this.depth,
      counts: this.counts,
      palette: this.palette,
      pointer: this.pointer,
      pending: this.#fragments.pending,
      surfaces: this.#surfaces.state,
      orders: this.#orders && writeOrderState(this.#orders),
      pixels: withPixels ? this.pixels : null,
    });
  }

  /**
   * A decoder that goes on where another's `save` stood.
   *
   * @param pixels R, G, B, 0xFF each, for a state that was saved without them
   * @throws DecodeError when the bytes are not such a state, or the pixels are missing
   */
  static restore(bytes: Uint8Array, pixels?: Uint8Array): ScreenDecoder {
    const state = readScreenState(bytes);
    const source = state.pixels ?? pixels;
    if (source === undefined) throw new DecodeError('pixels', 'are not in the state, and none were given', 0);
    const decoder = new ScreenDecoder(state.width, state.height, state.depth);
    if (source.length !== decoder.pixels.length) {
      throw new DecodeError('pixels', `${source.length} bytes, ${decoder.pixels.length} are wanted`, 0);
    }
    decoder.pixels.set(source);
    decoder.palette.set(state.palette);
    Object.assign(decoder.counts, state.counts);
    for (const [slot, image] of state.pointer.entries()) decoder.pointer.store(slot, image);
    decoder.pointer.restore(state.pointer.shown, state.pointer.position);
    decoder.#surfaces.restore(state.surfaces);
    if (state.pending !== null) decoder.#fragments.resume(state.pending);
    if (state.orders !== null) {
      const open = (support: OrderSupport) => new OrderDecoder(support, decoder.screen, decoder.palette);
      decoder.#orders = readOrderState(state.orders, open);
    }
    return decoder;
  }
}

/**
 * Whether a payload of the I/O channel begins with the security header of a licensing PDU ([MS-RDPBCGR] 2.2.1.12): as a
 * share control header it would be of type 0, which none is.
 */
function isLicensing(payload: Uint8Array): boolean {
  return payload.length >= 4 && payload[0] === 0x80 && payload[1] === 0 && payload[2] === 0 && payload[3] === 0;
}
