/**
 * The auto-reconnect cookie (MS-RDPBCGR 2.2.4 and 5.5): the server gives a secret inside Save Session Info, the client
 * proves that it holds it in Client Info.
 */
import { Reader, Writer } from '../bytes.ts';

/** Bytes of both packets, their length field included. */
export const AUTO_RECONNECT_LENGTH = 28;
const VERSION = 1;
/** Under TLS no client random is exchanged: 32 zero bytes stand in for it. */
const NO_CLIENT_RANDOM = new Uint8Array(32);

/** ARC_SC_PRIVATE_PACKET and ARC_CS_PRIVATE_PACKET differ only in what the 16 bytes are. */
export interface AutoReconnectPacket {
  logonId: number;
  /** 16 bytes: the server's random, or the client's verifier. */
  secret: Uint8Array;
}

/** Reads either packet. @throws DecodeError */
export function readAutoReconnect(bytes: Uint8Array): AutoReconnectPacket {
  const reader = new Reader(bytes);
  const length = reader.u32('auto-reconnect cbLen');
  if (length !== AUTO_RECONNECT_LENGTH) {
    throw reader.error('auto-reconnect cbLen', `is ${length}, wanted ${AUTO_RECONNECT_LENGTH}`);
  }
  const version = reader.u32('auto-reconnect version');
  if (version !== VERSION) throw reader.error('auto-reconnect version', `is ${version}, wanted ${VERSION}`);
  return { logonId: reader.u32('auto-reconnect logonId'), secret: reader.take(16, 'auto-reconnect secret') };
}

/** Either packet. */
export function writeAutoReconnect({ logonId, secret }: AutoReconnectPacket): Uint8Array {
  if (secret.length !== 16) throw new RangeError(`auto-reconnect secret: ${secret.length} bytes, wanted 16`);
  return new Writer(AUTO_RECONNECT_LENGTH).u32(AUTO_RECONNECT_LENGTH).u32(VERSION).u32(logonId).raw(secret).finish();
}

/**
 * What a client that holds the server's random must present under TLS (5.5).
 * @param random the server's 16 random bytes
 * @param hmacMd5 HMAC-MD5, injected because this library does no cryptography
 */
export function autoReconnectVerifier(
  random: Uint8Array,
  hmacMd5: (key: Uint8Array, data: Uint8Array) => Uint8Array,
): Uint8Array {
  return hmacMd5(random, NO_CLIENT_RANDOM);
}
