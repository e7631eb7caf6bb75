/** Cryptography that callers bring along, so that this folder runs wherever bytes do: Node and browsers have it built in. */

/** SHA-256 of the parts, one after another: 32 bytes. */
export type Sha256 = (...parts: readonly Uint8Array[]) => Uint8Array;

/** Ed25519 (RFC 8032): signs `message`, 64 bytes. */
export type Sign = (message: Uint8Array) => Uint8Array;

/** Ed25519 (RFC 8032): whether the 64 bytes of `signature` over `message` are by the 32 bytes of `publicKey`. */
export type Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;
