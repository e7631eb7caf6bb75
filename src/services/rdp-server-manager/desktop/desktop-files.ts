import { X509Certificate } from 'node:crypto';
import { createSelfSigned } from '#platform/pki.ts';
import type { DesktopOptions } from './options.ts';
import type { Place } from './place.ts';
import { INSIDE } from './sandbox.ts';
import { writeXrdpIni } from './xrdp-ini.ts';

export interface DesktopFiles {
  /** Text by name, for the desktop's config folder. */
  files: Record<string, string>;
  /** Private key, PEM: the one file there that is secret. */
  key: string;
  /** SHA-256 of the certificate (DER), hex. */
  fingerprint: string;
}

/** Accounts that programs look up; the sandbox has no others. */
const PASSWD = `root:x:0:0::/nonexistent:/usr/sbin/nologin
desktop:x:${INSIDE.uid}:${INSIDE.uid}:Desktop:${INSIDE.home}:/bin/bash
nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin
`;
const GROUP = `root:x:0:
desktop:x:${INSIDE.uid}:
nogroup:x:65534:
`;
/**
 * For xrdp-chansrv: with this address it listens on a UNIX socket; the clipboard needs no FUSE unless it carries files;
 * there is no syslog.
 */
const SESMAN_INI = `[Globals]
ListenAddress=127.0.0.1
[Chansrv]
EnableFuseMount=false
[ChansrvLogging]
LogLevel=WARNING
EnableSyslog=false
`;

/** What a desktop is configured with. Certificate and key are new at each start and belong to this desktop alone. */
export async function createDesktopFiles(options: DesktopOptions, place: Place): Promise<DesktopFiles> {
  const { key, cert } = await createSelfSigned('desktop');
  return {
    files: {
      'xrdp.ini': writeXrdpIni(place.xrdp, place.server, options.xrdp),
      'sesman.ini': SESMAN_INI,
      'cert.pem': cert,
      session: options.session,
      passwd: PASSWD,
      group: GROUP,
    },
    key,
    fingerprint: new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}
