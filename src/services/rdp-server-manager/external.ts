import { connect } from 'node:net';
import { DesktopError } from './desktop/desktop-error.ts';
import { handshake } from './desktop/handshake.ts';
import type { External } from './specs.ts';

const TIMEOUT_MS = 5000;

/**
 * Greets an external server over RDP and TLS.
 *
 * @param certificate SHA-256 that it must show, hex; null for any
 * @returns the SHA-256 of the certificate that it showed
 * @throws DesktopError when it cannot be reached, speaks no RDP or shows another certificate
 */
export async function greet({ host, port = 3389 }: External, certificate: string | null): Promise<string> {
  const { fingerprint } = await handshake(connect({ host, port }), TIMEOUT_MS);
  if (certificate !== null && fingerprint !== certificate) {
    throw new DesktopError(
      `it shows certificate ${fingerprint}, not the pinned ${certificate}: if that is right, pin the new one`,
    );
  }
  return fingerprint;
}
