/** The key and certificate that RDP clients see. */
import { constants, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { SettingError } from '#platform/config.ts';
import { writeSecretFile } from '#platform/files.ts';
import { createSelfSigned } from '#platform/pki.ts';

export interface CertificateFiles {
  /** PEM files that the operator has given, or both empty. */
  certificate: string;
  key: string;
}

export interface GatewayCertificate {
  context: SecureContext;
  /** SHA-256 of the certificate (DER), hex. */
  sha256: string;
}

/**
 * TLS towards clients: TLS 1.2 and 1.3, with the certificate given or one made once in `folder`.
 *
 * @throws SettingError when only one of the two files is given, or they cannot be used
 */
export async function openCertificate(given: CertificateFiles, folder: string): Promise<GatewayCertificate> {
  if ((given.certificate === '') !== (given.key === '')) {
    throw new SettingError('LUCID_RDP_CERTIFICATE and LUCID_RDP_KEY belong together: give both or neither');
  }
  if (given.certificate === '') return toContext(await ownCertificate(folder));
  try {
    return toContext({ cert: readFileSync(given.certificate, 'utf8'), key: readFileSync(given.key, 'utf8') });
  } catch (cause) {
    const problem = (cause as Error).message;
    throw new SettingError(`LUCID_RDP_CERTIFICATE=${given.certificate}, LUCID_RDP_KEY=${given.key}: ${problem}`);
  }
}

function toContext(pem: { cert: string; key: string }): GatewayCertificate {
  const versions = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' } as const;
  // A handshake costs the gateway a signature: a client has one, and no more for the asking.
  const context = createSecureContext({ ...pem, ...versions, secureOptions: constants.SSL_OP_NO_RENEGOTIATION });
  const sha256 = new X509Certificate(pem.cert).fingerprint256.replaceAll(':', '').toLowerCase();
  return { context, sha256 };
}

async function ownCertificate(folder: string): Promise<{ cert: string; key: string }> {
  const certFile = join(folder, 'rdp.pem');
  const keyFile = join(folder, 'rdp.key');
  if (!existsSync(certFile)) {
    const made = await createSelfSigned('Lucid gateway');
    // The certificate comes last: where it is, its key is too.
    writeSecretFile(keyFile, made.key);
    writeSecretFile(certFile, made.cert);
  }
  return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
}
