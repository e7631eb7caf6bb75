import type { ConfigBody } from '#evidence/record-body.ts';
import { VERSION } from '#platform/version.ts';
import type { ChosenProfile, Negotiated } from '#rdp/profile/profile.ts';
import type { Share } from './share.ts';

/** What a config record says besides the share. */
export interface ConfigFacts {
  session: string;
  /** Of the connection to the server: each has its own. */
  connection: string;
  /** When the session's clock stood at 0. */
  startedAt: Date;
  /** Whether the server was asked for bulk compression. */
  bulkCompression: boolean;
  /** Null while the client has not said what it can. */
  settled: Settled | null;
}

/** What client and server have come to. */
export interface Settled extends ChosenProfile, Negotiated {}

/** What whoever replays a share's records must know of them. */
export function configOf({ width, height, depth }: Share, facts: ConfigFacts): ConfigBody {
  const { session, connection, startedAt, bulkCompression, settled } = facts;
  return {
    version: 1,
    session,
    connection,
    startedAt: startedAt.toISOString(),
    width,
    height,
    depth,
    codecs: settled?.codecs ?? {},
    ...(settled?.orders && { orders: settled.orders }),
    profile: settled?.profile.name ?? 'bitmaps',
    profileReason: settled?.reason ?? 'the client has not said yet what it can',
    ...(bulkCompression && { bulkCompression: 'mppc-64k' }),
    versions: { lucid: VERSION, node: process.versions.node },
  };
}
