/** How a client says which ticket it holds. */
import { ROUTING_TOKEN_PREFIX } from '#contract/routing-token.ts';
import type { ClientInfo } from '#rdp/pdu/client-info.ts';

export interface TicketCredentials {
  ticketId: string;
  secret: string;
}

const MAX_TICKET_ID = 128;

/**
 * Reads ticket id and secret from what a client sent, in either of two forms:
 *
 * - routing token `Cookie: msts=<ticket id>`, which travels in clear, and the secret as user name;
 * - no routing token, the ticket id as user name and the secret as password.
 *
 * The cookie `mstshash` is not looked at: clients cut it short, and send it in clear.
 *
 * @returns null when either part is missing
 */
export function readCredentials(
  routingToken: string | null,
  info: Pick<ClientInfo, 'userName' | 'password'>,
): TicketCredentials | null {
  const routed = routingToken?.startsWith(ROUTING_TOKEN_PREFIX)
    ? routingToken.slice(ROUTING_TOKEN_PREFIX.length)
    : null;
  const ticketId = (routed ?? info.userName).trim().toLowerCase();
  const secret = (routed === null ? info.password : info.userName || info.password).trim();
  if (ticketId === '' || secret === '' || ticketId.length > MAX_TICKET_ID) return null;
  return { ticketId, secret };
}
