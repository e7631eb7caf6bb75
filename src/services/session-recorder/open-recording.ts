import type { Policy } from '#contract/common.ts';
import type { Peers } from '#contract/index.ts';
import { formatEntry, type OpenEntry, type SessionKeyLine } from '#evidence/entry.ts';
import { sha256 } from '#evidence/node/hash.ts';
import { createSessionKey } from '#evidence/node/session-keys.ts';
import type { NoteSigner } from '#evidence/node/signing.ts';
import { KEY_NAMES, type KeyName } from '#evidence/record.ts';
import { utf8 } from '#evidence/text.ts';
import { policyHash } from '#platform/policy-hash.ts';
import type { Recipients } from './recipients.ts';

export interface OpenedRecording {
  /** Public half of each session key: what chunks are encrypted to. */
  readonly publicKeys: Readonly<Record<KeyName, string>>;
  /** SHA-256 of the open entry's text. */
  readonly openHash: Uint8Array;
}

/**
 * Prepares a session's evidence: session keys, whose private halves only the recipients can read and nobody keeps, and
 * the open entry. Both are stored when it resolves; only then may records come.
 */
export async function openRecording(
  storage: Peers['session-storage'],
  signer: NoteSigner,
  recipients: Recipients,
  session: { session_id: string; server_id: string; policy: Policy },
): Promise<OpenedRecording> {
  const id = session.session_id;
  await storage.createSession({ body: { session_id: id } });
  const keys: SessionKeyLine[] = [];
  for (const name of KEY_NAMES) {
    const { line, file } = createSessionKey(name, recipients[name]);
    await storage.putKey({ params: { id, name }, body: file });
    keys.push(line);
  }
  const entry: OpenEntry = {
    kind: 'lucid/open/v1',
    session: id,
    node: signer.key.name,
    time: new Date().toISOString(),
    server: session.server_id,
    policy: policyHash(session.policy),
    keys,
  };
  const text = formatEntry(entry);
  await storage.putEntry({ params: { id, kind: 'open' }, body: { note: signer.sign(text) } });
  const publicKeys = Object.fromEntries(keys.map(({ name, publicKey }) => [name, publicKey]));
  return { publicKeys: publicKeys as OpenedRecording['publicKeys'], openHash: sha256(utf8(text)) };
}
