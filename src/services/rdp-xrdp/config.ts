import { integer, text } from '#platform/config.ts';

export const settings = {
  LUCID_RDP_XRDP_PORT: integer('port that RDP clients connect to; 0 takes a free one', 3389, 0, 65535),
  LUCID_RDP_XRDP_HOST: text('address that RDP clients connect to', '0.0.0.0'),
  LUCID_RDP_CERTIFICATE: text('PEM file: certificate shown to RDP clients; one is made unless given'),
  LUCID_RDP_KEY: text('PEM file: private key of LUCID_RDP_CERTIFICATE'),
  LUCID_RDP_MAX_CONNECTIONS: integer('RDP connections at a time', 300, 1, 10_000),
  LUCID_RDP_MAX_HANDSHAKES: integer('RDP connections that are not admitted yet, at a time', 64, 1, 10_000),
  LUCID_RDP_MAX_PER_ADDRESS: integer('RDP connections of one client address at a time', 200, 1, 10_000),
  LUCID_RDP_MAX_HANDSHAKES_PER_ADDRESS: integer(
    'RDP connections of one client address that are not admitted yet, at a time',
    16,
    1,
    10_000,
  ),
};
