import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '#contract/contract.ts';
import type { sessionApi } from '#contract/session-api.ts';
import { FINAL_STATES, type Session } from '#contract/session-pipeline.ts';
import { player } from '#demo/replay-check.ts';
import { type Entry, parseEntry } from '#evidence/entry.ts';
import { type AgeIdentity, parseIdentityFile } from '#evidence/node/age-keys.ts';
import { BundleReader } from '#evidence/node/bundle-reader.ts';
import { type BundleSource, openBundleSource } from '#evidence/node/bundle-source.ts';
import { sha256 } from '#evidence/node/hash.ts';
import { verifyBundle } from '#evidence/node/verify.ts';
import { parseNote, parseVerifierKey } from '#evidence/note.ts';
import { CAPTURED_STREAMS, RecordType } from '#evidence/record.ts';
import { type MarkerBody, readMarkerBody } from '#evidence/record-body.ts';
import { eventually } from './eventually.ts';

/** The recording of a session that is over, as an auditor finds it. */
export interface VerifiedRecording {
  readonly session: Session;
  readonly source: BundleSource;
  readonly identities: readonly AgeIdentity[];
  readonly close: Entry & { readonly kind: 'lucid/close/v1' };
  /** Of the screen, in order. */
  readonly markers: readonly MarkerBody[];
  /** Of every captured record, in the order of seq: µs on the session's clock. */
  readonly times: readonly number[];
}

/** Waits until a session is over. @throws Error when it does not end */
export function untilOver(api: Client<typeof sessionApi>, id: string): Promise<Session> {
  return eventually(`the end of session ${id}`, async () => {
    const session = await api.getSession({ params: { id } });
    return FINAL_STATES.includes(session.state) && session;
  });
}

/**
 * Waits until a session is over, downloads its bundle and verifies all of it.
 *
 * @param folder for the bundle; @param identityFile of a recipient of all streams
 * @throws Error with the report when it does not verify
 */
export async function verifiedRecording(
  api: Client<typeof sessionApi>,
  id: string,
  folder: string,
  identityFile: string,
): Promise<VerifiedRecording> {
  const session = await untilOver(api, id);
  const bundle = join(folder, `${id}.tar`);
  await writeFile(bundle, await api.getBundle({ params: { id }, query: {} }));
  const source = openBundleSource(bundle);
  const identities = parseIdentityFile(readFileSync(identityFile, 'utf8'));
  const { verifier_key } = await api.nodeKey({});
  const steps = verifyBundle(source, { nodeKeys: [parseVerifierKey(sha256, verifier_key)], identities, player });
  let step = steps.next();
  while (!step.done) step = steps.next();
  assert.equal(step.value.verdict, 'verified', JSON.stringify(step.value));
  const close = parseEntry(parseNote(source.read('close.note', 65_535)).text);
  assert.ok(close.kind === 'lucid/close/v1');
  const markers: MarkerBody[] = [];
  const times: number[] = [];
  for (const { record } of new BundleReader(source, identities).records(CAPTURED_STREAMS)) {
    times.push(record.time);
    if (record.type === RecordType.marker) markers.push(readMarkerBody(record.body));
  }
  return { session, source, identities, close, markers, times };
}
