import { isIPv6 } from 'node:net';
import type { Policy } from '#contract/common.ts';
import { ROUTING_TOKEN_PREFIX } from '#contract/routing-token.ts';

export interface RdpFile {
  host: string;
  port: number;
  ticketId: string;
  secret: string;
  policy: Policy;
  /** The desktop's own size, if it has one. */
  size?: { width: number; height: number };
}

/**
 * The contents of an .rdp file, for mstsc, FreeRDP and Remmina: the ticket's id as routing token, its secret as user
 * name, and only those redirections that the policy allows.
 *
 * CredSSP is off: the gateway takes the ticket inside TLS. With a routing token clients send no cookie with the user
 * name, so the secret never travels in clear.
 */
export function writeRdpFile(file: RdpFile): string {
  const { policy } = file;
  const host = isIPv6(file.host) ? `[${file.host}]` : file.host;
  const clipboard = Boolean(policy.clipboard_to_server || policy.clipboard_to_client);
  const lines = [
    `full address:s:${host}:${file.port}`,
    `loadbalanceinfo:s:${ROUTING_TOKEN_PREFIX}${file.ticketId}`,
    `username:s:${file.secret}`,
    'domain:s:',
    'prompt for credentials:i:0',
    'enablecredsspsupport:i:0',
    'negotiate security layer:i:1',
    'authentication level:i:2',
    'autoreconnection enabled:i:1',
    'gatewayusagemethod:i:0',
    'session bpp:i:32',
    ...(file.size ? [`desktopwidth:i:${file.size.width}`, `desktopheight:i:${file.size.height}`] : []),
    'screen mode id:i:1',
    'smart sizing:i:1',
    `redirectclipboard:i:${Number(clipboard)}`,
    `redirectdrives:i:${Number(policy.drives === true)}`,
    `drivestoredirect:s:${policy.drives ? '*' : ''}`,
    `redirectprinters:i:${Number(policy.printers === true)}`,
    'redirectsmartcards:i:0',
    'redirectcomports:i:0',
    'redirectposdevices:i:0',
    `usbdevicestoredirect:s:${policy.usb ? '*' : ''}`,
    `audiomode:i:${policy.audio_output ? 0 : 2}`,
    `audiocapturemode:i:${Number(policy.audio_input === true)}`,
  ];
  return `${lines.join('\r\n')}\r\n`;
}
