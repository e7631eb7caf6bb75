import { integer, text } from '#platform/config.ts';

export const settings = {
  LUCID_NODE_NAME: text("this machine's name in lists; its host name unless given"),
  LUCID_HEARTBEAT_SECONDS: integer('how often a node reports that it is alive', 15, 1, 3600, 'seconds'),
};
