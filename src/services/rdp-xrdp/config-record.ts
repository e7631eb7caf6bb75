import type { ConfigBody } from '#evidence/record-body.ts';
import { VERSION } from '#platform/version.ts';
import { bitmapOnly } from '#rdp/profile/bitmap-only.ts';
import type { Share } from './share.ts';

/** What whoever replays a share's records must know of them. @param startedAt when the session's clock stood at 0 */
export function configOf(session: string, { width, height, depth }: Share, startedAt: Date): ConfigBody {
  return {
    version: 1,
    session,
    startedAt: startedAt.toISOString(),
    width,
    height,
    depth,
    codecs: {},
    profile: bitmapOnly.name,
    profileReason: bitmapOnly.reason,
    versions: { lucid: VERSION, node: process.versions.node },
  };
}
