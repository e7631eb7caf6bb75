import type { ServerTarget } from '#contract/rdp-server-manager.ts';
import { PROFILES } from '#rdp/profile/profile.ts';
import { wantsBulkCompression } from '#rdp/profile/upstream-client.ts';
import type { ClientDescription } from '#rdp/sequence/server-connection.ts';
import type { SessionPolicy } from './channel-plan.ts';

/** How pictures may travel from a server to a client. */
export interface Display {
  /** Names of the recording profiles that may be chosen. */
  profiles: ReadonlySet<string>;
  /** Whether the server is asked for bulk compression. */
  bulkCompression: boolean;
}

/** What the server's settings and the session's policy leave of what the client can. */
export function displayOf(client: ClientDescription, policy: SessionPolicy, target: ServerTarget): Display {
  const lists = [target.profiles, policy.profiles].filter((list) => list !== undefined);
  const names = PROFILES.map(({ name }) => name).filter((name) =>
    lists.every((list) => list.some((each) => each === name)),
  );
  return {
    profiles: new Set(names),
    bulkCompression:
      target.bulk_compression !== false && policy.bulk_compression !== false && wantsBulkCompression(client.info),
  };
}
