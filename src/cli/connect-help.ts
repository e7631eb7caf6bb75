import type { SessionTicket } from '#contract/session-api.ts';
import { localTime } from './output.ts';

/** A word as a POSIX shell takes it. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A hash in hexadecimal as clients show it: `86:52:...`. */
function fingerprint(hex: string): string {
  return hex.match(/../g)?.join(':') ?? '';
}

/** The command line that connects with FreeRDP: it knows the gateway by its certificate. */
export function freerdpCommand({ gateway, ticket_id, secret, session }: SessionTicket): string {
  const clipboard = session.policy.clipboard_to_client || session.policy.clipboard_to_server;
  const words = [
    'xfreerdp',
    `/v:${gateway.host}:${gateway.port}`,
    `/u:${ticket_id}`,
    `/p:${secret}`,
    '/sec:tls',
    `/cert:fingerprint:sha256:${fingerprint(gateway.certificate_sha256)}`,
    clipboard ? '+clipboard' : '-clipboard',
  ];
  return words.map(quote).join(' ');
}

/** How a person connects with a fresh ticket, and until when. */
export function connectHelp(ticket: SessionTicket, server: string, file: string | undefined): string {
  const seconds = Math.max(0, Math.round((Date.parse(ticket.expires_at) - Date.now()) / 1000));
  const lines = [
    `Session ${ticket.session.id} on ${server}`,
    `The ticket admits once and expires at ${localTime(ticket.expires_at)}, in ${seconds} s.`,
    '',
    file
      ? `  .rdp file   ${file}: open it with mstsc, FreeRDP or Remmina`
      : '  .rdp file   add --rdp FILE to get one, for mstsc, FreeRDP or Remmina',
    `  FreeRDP     ${freerdpCommand(ticket)}`,
    '',
    'With the .rdp file, the client asks once whether it may trust the gateway. Its certificate has the SHA-256',
    `  ${fingerprint(ticket.gateway.certificate_sha256)}`,
  ];
  return `${lines.join('\n')}\n`;
}
