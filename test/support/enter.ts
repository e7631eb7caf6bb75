import type { SessionTicket } from '#contract/session-api.ts';
import { HeadlessClient } from '#demo/headless-client.ts';

/** A client that goes in with a ticket, as a person does who was given it. */
export function enter(ticket: Pick<SessionTicket, 'gateway' | 'ticket_id' | 'secret'>): Promise<HeadlessClient> {
  const { gateway, ticket_id, secret } = ticket;
  return HeadlessClient.connect({
    to: { host: gateway.host, port: gateway.port },
    pin: gateway.certificate_sha256,
    userName: ticket_id,
    password: secret,
  });
}
