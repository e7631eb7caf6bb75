/**
 * Frames: what a journal's segment is filled with (docs/journal.md, Frames).
 *
 * u32 LE n | n bytes sealed | 16 bytes tag. Sealed, a frame's content is
 * session 16 bytes | u8 kind | u8 flags | u16 0 | u32 LE commit | payload.
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { FormatError } from '#evidence/format-error.ts';

/** What a frame's payload is. */
export const FRAME_KINDS = ['screen', 'input', 'channels', 'state'] as const;
export type FrameKind = (typeof FRAME_KINDS)[number];

/** Flag: the first frame of its commit. */
export const FLAG_FIRST = 0x01;
/** Flag: the last frame of its commit. */
export const FLAG_LAST = 0x02;

const LENGTH_BYTES = 4;
const TAG_BYTES = 16;
const HEAD_BYTES = 24;
/** Bytes of a frame that are not payload, and where the payload begins. */
export const FRAME_OVERHEAD = LENGTH_BYTES + HEAD_BYTES + TAG_BYTES;
const PAYLOAD_AT = LENGTH_BYTES + HEAD_BYTES;
/** A length of 0 follows the last frame. */
export const END_BYTES = LENGTH_BYTES;
/** The longest payload: a megabyte of gathered records, and one more record of that size. */
export const MAX_PAYLOAD_BYTES = 3 * 1024 * 1024;

/** Bytes that are decrypted at a time. */
const PIECE_BYTES = 64 * 1024;

export const KEY_BYTES = 32;
const CIPHER = 'chacha20-poly1305';

/** What stands in a frame before its payload. */
export interface FrameHead {
  /** A UUID in lower case. */
  readonly session: string;
  readonly kind: FrameKind;
  /** FLAG_FIRST, FLAG_LAST. */
  readonly flags: number;
  /** Number of the commit that wrote it, within its segment. */
  readonly commit: number;
}

export interface Frame extends FrameHead {
  /** Where the frame stands in its segment, and the bytes that it takes there. */
  readonly offset: number;
  readonly length: number;
  readonly payload: Uint8Array;
}

/**
 * Lays out a frame that is not sealed yet.
 * @param at where it begins in `target`
 * @returns where its payload belongs: the caller writes it
 */
export function layFrame(target: Buffer, at: number, head: FrameHead, payloadBytes: number): number {
  target.writeUInt32LE(HEAD_BYTES + payloadBytes, at);
  target.write(head.session.replaceAll('-', ''), at + LENGTH_BYTES, 'hex');
  target.writeUInt8(FRAME_KINDS.indexOf(head.kind), at + 20);
  target.writeUInt8(head.flags, at + 21);
  target.writeUInt16LE(0, at + 22);
  target.writeUInt32LE(head.commit, at + 24);
  return at + PAYLOAD_AT;
}

/** Adds flags to a frame that is laid out and not sealed. */
export function addFlags(target: Buffer, at: number, flags: number): void {
  target[at + 21] |= flags;
}

/** A segment's key, ready for many frames: a cipher begins in a fifth of the time that it takes with bytes. */
export function frameKey(bytes: Uint8Array): KeyObject {
  return createSecretKey(bytes);
}

/**
 * Seals frames in place.
 *
 * The nonce is the frame's place in its segment. It is a counter that cannot repeat: no place of a segment is written
 * twice under one key, since a segment that failed is never written again and one that is used anew gets a new key.
 *
 * @param bytes laid-out frames, one after another, then a length of 0
 * @param offset in the segment of the first
 */
export function sealFrames(bytes: Buffer, key: Uint8Array, offset: number): void {
  const secret = frameKey(key);
  for (let at = 0; ; ) {
    const n = bytes.readUInt32LE(at);
    if (n === 0) return;
    const body = bytes.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + n);
    const cipher = createCipheriv(CIPHER, secret, nonce(offset + at), { authTagLength: TAG_BYTES });
    cipher.setAAD(bytes.subarray(at, at + LENGTH_BYTES), { plaintextLength: n });
    cipher.update(body).copy(body);
    cipher.final();
    cipher.getAuthTag().copy(bytes, at + LENGTH_BYTES + n);
    at += LENGTH_BYTES + n + TAG_BYTES;
  }
}

/**
 * The length that a frame claims, were there one at `at`.
 * @returns the frame's bytes in all; 0 at the end of what was written; null when no frame can stand there
 */
export function claimedLength(bytes: Buffer, at: number): number | null {
  if (at + LENGTH_BYTES > bytes.length) return 0;
  const n = bytes.readUInt32LE(at);
  if (n === 0) return 0;
  const length = LENGTH_BYTES + n + TAG_BYTES;
  return n < HEAD_BYTES || n > HEAD_BYTES + MAX_PAYLOAD_BYTES || at + length > bytes.length ? null : length;
}

/**
 * Opens one frame.
 * @param bytes the frame, whole, and nothing else
 * @param offset where it stands in its segment
 * @throws FormatError when it does not authenticate or its head is none
 */
export function openFrame(bytes: Buffer, key: KeyObject, offset: number): Frame {
  const payload = Buffer.allocUnsafeSlow(Math.max(0, bytes.length - FRAME_OVERHEAD));
  const head = decryptFrame(payload, 0, bytes, key, offset);
  const kind = kindOf(head, offset);
  return {
    session: uuid(head.toString('hex', 0, 16)),
    kind,
    flags: head[17],
    commit: head.readUInt32LE(20),
    offset,
    length: bytes.length,
    payload,
  };
}

/**
 * Opens one frame's payload into `target`.
 * @param at where it goes
 * @returns where it ends; when it throws, `target` may have changed from `at` on
 * @throws FormatError as `openFrame`
 */
export function openFrameInto(target: Uint8Array, at: number, bytes: Buffer, key: KeyObject, offset: number): number {
  kindOf(decryptFrame(target, at, bytes, key, offset), offset);
  return at + bytes.length - FRAME_OVERHEAD;
}

/** @returns the frame's head */
function decryptFrame(target: Uint8Array, at: number, bytes: Buffer, key: KeyObject, offset: number): Buffer {
  if (claimedLength(bytes, 0) !== bytes.length) {
    throw frameError('length', `does not fit ${bytes.length} bytes`, offset);
  }
  const end = bytes.length - TAG_BYTES;
  const decipher = createDecipheriv(CIPHER, key, nonce(offset), { authTagLength: TAG_BYTES });
  decipher.setAAD(bytes.subarray(0, LENGTH_BYTES), { plaintextLength: end - LENGTH_BYTES });
  decipher.setAuthTag(bytes.subarray(end));
  const head = decipher.update(bytes.subarray(LENGTH_BYTES, PAYLOAD_AT));
  // Piece by piece: what each is decrypted into stays in the processor's cache, and its memory is used again.
  for (let from = PAYLOAD_AT; from < end; from += PIECE_BYTES) {
    target.set(decipher.update(bytes.subarray(from, Math.min(end, from + PIECE_BYTES))), at + from - PAYLOAD_AT);
  }
  try {
    decipher.final();
  } catch {
    throw frameError('tag', 'does not authenticate', offset);
  }
  return head;
}

function kindOf(head: Buffer, offset: number): FrameKind {
  const kind = FRAME_KINDS[head[16]];
  if (kind === undefined) throw frameError('kind', `${head[16]} is unknown`, offset);
  return kind;
}

function frameError(field: string, reason: string, offset: number): FormatError {
  return new FormatError(`frame.${field}`, `${reason} (at byte ${offset})`);
}

function nonce(offset: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUIntLE(offset, 4, 6);
  return bytes;
}

function uuid(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
