/** What a screen decoder tells those who watch it. */
import type { PointerState } from './pointer-state.ts';
import type { Rectangle } from './rectangle.ts';

/** What somebody who shows the screen wants to know. */
export interface ScreenListener {
  /** Pixels of this rectangle changed. */
  dirty?(area: Rectangle): void;
  /** The desktop has another size: it is black, and `pixels` is new memory. */
  resized?(width: number, height: number): void;
  /** A frame is complete, and its server may wait to hear that it was shown. @param frameId the server's number for it */
  frameEnded?(frameId: number): void;
  /** Shape, visibility or position of the pointer changed. */
  pointerChanged?(pointer: PointerState): void;
}

/** What a config record says of a desktop. */
export interface DesktopConfig {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Bits per pixel. */
  readonly depth: number;
  /** Number that the client gave a codec, in decimal → name (docs/recording-format.md). */
  readonly codecs: Readonly<Record<string, string>>;
  /** An OrderSupport as parsed from JSON; none where no drawing orders are to come. */
  readonly orders?: unknown;
}

/** Bytes of PDUs by what became of them. */
export interface DecodeCounts {
  /** Understood, whether they painted or said nothing about the screen's content. */
  decoded: number;
  /** Of kinds that do not concern the screen. */
  ignored: number;
  /** Meant to paint, and not understood: the screen may be wrong from here on. */
  undecodable: number;
}
