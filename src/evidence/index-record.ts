/**
 * Index records (record 40, JSON): what a timeline needs without reading the other streams, one record for each sealed
 * run of screen records (docs/recording-format.md, Index).
 */
import { FormatError } from './format-error.ts';
import { isObject, MARKER_KINDS, type MarkerKind, readJsonObject, wantCount } from './record-body.ts';
import { fromBase64, utf8 } from './text.ts';

/** Activity of one second. */
export interface SecondOfActivity {
  /** Bytes of screen records. */
  readonly bytes: number;
  /** Keys pressed, which ones is not said. */
  readonly keys: number;
  /** Buttons pressed. */
  readonly clicks: number;
}

/** Where a keyframe stands, and where the records after it go on. */
export interface KeyframePosition {
  readonly seq: number;
  /** µs of the session's clock. */
  readonly time: number;
  /** Chunk of the stream `keyframes`, and the byte offset of the record within its decompressed records. */
  readonly chunk: number;
  readonly offset: number;
  /** Chunk of the stream `screen`, and the byte offset of the first record that the keyframe does not reflect. */
  readonly screenChunk: number;
  readonly screenOffset: number;
}

/** A small picture of the screen. */
export interface Thumbnail {
  readonly time: number;
  readonly width: number;
  readonly height: number;
  /** Base64. */
  readonly png: string;
}

export interface IndexBody {
  readonly version: 1;
  /** Second of the session's clock that `seconds` begins with. */
  readonly from: number;
  readonly seconds: readonly SecondOfActivity[];
  readonly markers: readonly { readonly time: number; readonly kind: MarkerKind }[];
  readonly keyframes: readonly KeyframePosition[];
  readonly thumbnails: readonly Thumbnail[];
}

/** Writes the body of an index record. */
export function writeIndex(index: IndexBody): Uint8Array<ArrayBuffer> {
  return utf8(JSON.stringify(index));
}

/**
 * Reads the body of an index record.
 * @throws FormatError
 */
export function readIndex(body: Uint8Array): IndexBody {
  const value = readJsonObject(body, 'index');
  if (value.version !== 1) throw new FormatError('index.version', `${JSON.stringify(value.version)}, wanted 1`);
  wantCount(value, 'index', 'from');
  for (const item of wantList(value, 'seconds')) {
    for (const field of ['bytes', 'keys', 'clicks']) wantCount(item, 'index.seconds', field);
  }
  for (const item of wantList(value, 'markers')) {
    wantCount(item, 'index.markers', 'time');
    if (!(MARKER_KINDS as readonly unknown[]).includes(item.kind)) {
      throw new FormatError('index.markers.kind', `${JSON.stringify(item.kind)} is unknown`);
    }
  }
  for (const item of wantList(value, 'keyframes')) {
    for (const field of ['seq', 'time', 'chunk', 'offset', 'screenChunk', 'screenOffset']) {
      wantCount(item, 'index.keyframes', field);
    }
  }
  for (const item of wantList(value, 'thumbnails')) {
    for (const field of ['time', 'width', 'height']) wantCount(item, 'index.thumbnails', field);
    if (typeof item.png !== 'string') throw new FormatError('index.thumbnails.png', 'wanted a string');
    fromBase64(item.png, 'index.thumbnails.png');
  }
  return value as unknown as IndexBody;
}

function wantList(value: Record<string, unknown>, field: string): Record<string, unknown>[] {
  const list = value[field];
  if (!Array.isArray(list) || !list.every(isObject))
    throw new FormatError(`index.${field}`, 'wanted a list of objects');
  return list;
}
