/** A store with recorded sessions, as session-storage keeps it, for what is done with sessions as a whole. */
import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { openBundleSource } from '#evidence/node/bundle-source.ts';
import { verifyBundle } from '#evidence/node/verify.ts';
import type { VerifyReport } from '#evidence/node/verify-report.ts';
import { openDatabase } from '#platform/database.ts';
import type { Archive } from '#services/session-storage/archive.ts';
import { migrations, type Tables } from '#services/session-storage/database.ts';
import { EvidenceStore } from '#services/session-storage/evidence-store.ts';
import { SessionIndex } from '#services/session-storage/session-index.ts';
import { player, type RecordedSession, type RecordOptions, recordSession } from './recorded-session.ts';

export const silent = pino({ level: 'silent' });

/** A store in a folder of its own, on a database in a file: opened again it finds what is there. */
export async function openStore(folder: string, archive: Archive | null = null) {
  const database = await openDatabase<Tables>(join(folder, 'index.sqlite'), migrations);
  const index = new SessionIndex(database);
  const store = new EvidenceStore(join(folder, 'sessions'), archive, index);
  await store.reconcile(silent);
  return { folder, database, index, store, close: () => database.destroy() };
}

/** Makes a store's folder with so many recorded sessions. */
export function recordStore(parent: string, count: number, options: RecordOptions = {}) {
  const folder = mkdtempSync(join(parent, 'store-'));
  const sessions = join(folder, 'sessions');
  mkdirSync(sessions);
  const recorded: RecordedSession[] = [];
  for (let i = 0; i < count; i++) {
    const [first] = recorded;
    // The keys lie beside: the store holds nothing but sessions.
    const shared = first && { signer: first.signer, auditor: first.auditor };
    recorded.push(recordSession(sessions, { runs: 1, ...shared, ...options }));
  }
  return { folder, recorded };
}

/** Verifies a bundle to the end, with the key that signed it and the auditor's identity. */
export function verifyFully(path: string, { signer, auditor }: RecordedSession): VerifyReport {
  const source = openBundleSource(path);
  try {
    const steps = verifyBundle(source, { nodeKeys: [signer.key], identities: [auditor], player });
    let step = steps.next();
    while (!step.done) step = steps.next();
    return step.value;
  } finally {
    source.close();
  }
}
