/**
 * How a ticket's id travels in the first packet of a connection, which is sent in clear: the routing token that
 * `loadbalanceinfo` of an .rdp file holds is this, then the id.
 */
export const ROUTING_TOKEN_PREFIX = 'Cookie: msts=';
