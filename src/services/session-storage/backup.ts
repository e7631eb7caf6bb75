/**
 * Backup of the whole store while it runs (docs/storage.md, Backup): a tar archive with a folder for each session, laid out
 * and summed as a bundle is, and at its end a manifest. Without its manifest an archive is not whole.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '#contract/errors.ts';
import { LEAVES_PATH, SUMS_PATH } from '#evidence/bundle-layout.ts';
import { type BackupManifest, formatManifest, MANIFEST_PATH } from './backup-manifest.ts';
import { memoryMember } from './bundle/member.ts';
import { piecesOf, readAhead } from './bundle/read-ahead.ts';
import { SessionMembers } from './bundle/session-members.ts';
import { TAR_END, tarHeader, tarPaddingOf } from './bundle/tar-segments.ts';
import type { EvidenceStore } from './evidence-store.ts';

const BUSY_PAUSE_MS = 200;
const NOTHING_DAMAGED: ReadonlySet<string> = new Set();

/**
 * The archive, piece by piece. Each session is as it was at one moment, and neither deleted nor moved meanwhile; one that
 * is live is taken as far as it goes. Damaged chunks are left out, or taken as they are, and named in the manifest.
 *
 * @throws ServiceError `unavailable` when a file fails in the middle: the archive has no manifest then
 */
export async function* backUpStore(store: EvidenceStore): AsyncGenerator<Uint8Array> {
  const manifest: BackupManifest = { time: new Date().toISOString(), sessions: [], damaged: [] };
  let next = '';
  for (;;) {
    const session = await store.index.firstFrom(next);
    if (session === null) break;
    const id = session.session_id;
    next = `${id}\u0000`;
    const release = await reserve(store, id);
    try {
      yield* backUpSession(store, id, manifest);
    } finally {
      release();
    }
  }
  const last = memoryMember(MANIFEST_PATH, Buffer.from(formatManifest(manifest)));
  yield tarHeader(last);
  yield* last.read(0);
  yield tarPaddingOf(last);
  yield TAR_END;
}

/** Waits until nobody deletes or moves the session. */
async function reserve(store: EvidenceStore, id: string): Promise<() => void> {
  for (;;) {
    try {
      return store.reserve(id, 'backed up');
    } catch (error) {
      if (!(error instanceof ServiceError && error.code === 'conflict')) throw error;
      await sleep(BUSY_PAUSE_MS);
    }
  }
}

async function* backUpSession(store: EvidenceStore, id: string, manifest: BackupManifest): AsyncGenerator<Uint8Array> {
  const options = { purpose: 'backup', added: [], damaged: NOTHING_DAMAGED } as const;
  const members = await SessionMembers.open(store.place(id), options).catch((error) => {
    manifest.damaged.push({ id, path: LEAVES_PATH, what: (error as Error).message });
    return null;
  });
  // A session whose opening broke off has no evidence.
  if (members === null || members.isEmpty) return;
  const told = { id, files: 0, bytes: 0, sums: '' };
  for await (const begun of readAhead(members.all(), (member) => member.read(0))) {
    const member = begun.what;
    try {
      await begun.first;
    } catch (error) {
      if (member.leafSum === null) throw error;
      manifest.damaged.push({ id, path: member.path, what: (error as Error).message });
      continue;
    }
    const hash = createHash('sha256');
    yield tarHeader(member, `sessions/${id}/`);
    for await (const piece of piecesOf(begun)) {
      hash.update(piece);
      yield piece;
    }
    yield tarPaddingOf(member);
    const sum = hash.digest('hex');
    if (member.path === SUMS_PATH) told.sums = sum;
    else if (member.leafSum !== null && sum !== member.leafSum) {
      manifest.damaged.push({ id, path: member.path, what: `its SHA-256 is ${sum}, its leaf says ${member.leafSum}` });
    }
    told.files++;
    told.bytes += member.size;
  }
  manifest.sessions.push(told);
}
