import { integer, text } from '#platform/config.ts';

const MAX_RATE = 1_000_000;

export const settings = {
  LUCID_ADMIN_NAME: text('name of the first admin', 'admin'),
  LUCID_ADMIN_PASSWORD: text('password of the first admin, read when there is no user yet; 12 characters or more'),
  LUCID_TOKEN_HOURS: integer('how long a log-in lasts', 12, 1, 720),
  LUCID_LOGINS_PER_MINUTE: integer('log-ins tried from one address in a minute', 10, 1, 10_000),
  LUCID_READS_PER_MINUTE: integer('reads of one kind by one person in a minute', 3000, 1, MAX_RATE),
  LUCID_WRITES_PER_MINUTE: integer('changes of one kind by one person in a minute', 300, 1, MAX_RATE),
  LUCID_CREATES_PER_MINUTE: integer('things of one kind made by one person in a minute', 120, 1, MAX_RATE),
  LUCID_TRANSFERS_PER_MINUTE: integer('chunks and bundles moved by one person in a minute', 1200, 1, MAX_RATE),
  LUCID_UPLOADS: integer('chunks taken from outside recorders at a time, each up to 65 MiB in memory', 4, 1, 64),
  LUCID_LIVE_RECHECK_SECONDS: integer('how often the right of those who watch live is looked at again', 15, 1, 3600),
  LUCID_GATEWAY_HOST: text('host that RDP clients are told to connect to; the one they asked the API at, unless given'),
  LUCID_GATEWAY_PORT: integer("port that RDP clients are told to connect to; 0 is the gateway's own", 0, 0, 65535),
};
