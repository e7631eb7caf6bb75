/** How screen records become pixels: one rule for whoever makes keyframes, checks them or plays a recording. */
import { RecordType, type SessionRecord } from './record.ts';
import { type ConfigBody, readConfigBody } from './record-body.ts';

/** A screen that server PDUs are applied to. */
export interface ReplayedScreen {
  readonly width: number;
  readonly height: number;
  /** Rows from the top, RGBX, X = 0xFF, pointer not included. */
  readonly pixels: Uint8Array;
  /**
   * Takes the desktop's size in pixels, its bits per pixel, its codecs' names and its drawing orders; another size blackens
   * the screen.
   */
  configure(config: Pick<ConfigBody, 'width' | 'height' | 'depth' | 'codecs' | 'orders'>): void;
  /** Applies a whole server PDU. */
  apply(pdu: Uint8Array): void;
}

/**
 * Applies a record of the screen stream: a config sets size and depth, a server PDU is decoded, a marker changes nothing.
 * @throws FormatError when a config record is malformed
 */
export function applyScreenRecord(screen: ReplayedScreen, record: SessionRecord): void {
  if (record.type === RecordType.serverPdu) screen.apply(record.body);
  else if (record.type === RecordType.config) screen.configure(readConfigBody(record.body));
}
