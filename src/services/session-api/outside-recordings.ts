import { ServiceError } from '#contract/errors.ts';
import type { Peers } from '#contract/index.ts';
import type { OutsideRecorder, User } from '#contract/session-api.ts';
import type { Session } from '#contract/session-pipeline.ts';
import { type Entry, parseEntry } from '#evidence/entry.ts';
import { FormatError } from '#evidence/format-error.ts';
import { equal } from '#evidence/merkle.ts';
import { sha256, verifyEd25519 } from '#evidence/node/hash.ts';
import { openNote, parseVerifierKey } from '#evidence/note.ts';
import { utf8 } from '#evidence/text.ts';
import { newId } from '#platform/id.ts';
import { policyHash } from '#platform/policy-hash.ts';
import type { Recorders } from './recorders.ts';

type Storage = Peers['session-storage'];
type NewSession = Pick<
  Parameters<Peers['session-pipeline']['createSession']>[0]['body'],
  'server_id' | 'name' | 'labels' | 'priority'
> & { policy?: Session['policy'] };

/**
 * What outside recorders upload. A recording is opened, sealed and closed by them; what comes is checked and stored as if
 * Lucid's own recorder had sent it: hashes, order, roots, and the signature of the key that was registered.
 */
export class OutsideRecordings {
  readonly #pipeline: Peers['session-pipeline'];
  readonly #storage: Storage;
  readonly #recorders: Recorders;

  constructor(peers: Peers, recorders: Recorders) {
    this.#pipeline = peers['session-pipeline'];
    this.#storage = peers['session-storage'];
    this.#recorders = recorders;
  }

  /** @throws ServiceError `not_found` or `forbidden` for the recorder, `storage_full` */
  async create(user: User, recorderId: string, fresh: NewSession): Promise<Session> {
    const recorder = await this.#recorders.open(recorderId, user.id);
    const { policy = {}, ...rest } = fresh;
    const id = newId();
    await this.#storage.createSession({ body: { session_id: id } });
    const body = { id, user_id: user.id, recorder_id: recorder.id, policy, ...rest };
    return this.#pipeline.createSession({ body });
  }

  /** The same key again changes nothing. @throws ServiceError `conflict` for another once the open entry is stored */
  async putKey(user: User, params: Parameters<Storage['putKey']>[0]['params'], body: Uint8Array): Promise<void> {
    const { session } = await this.#open(user, params.id);
    if (session.state !== 'created' && session.state !== 'recording') {
      throw new ServiceError('wrong_state', `the session is ${session.state}: nothing more is taken of it`);
    }
    await this.#storage.putKey({ params, body });
  }

  /** @throws ServiceError `wrong_state` while the session is not live; else as the store */
  async putChunk(user: User, chunk: Parameters<Storage['putChunk']>[0]): ReturnType<Storage['putChunk']> {
    const { id } = chunk.params;
    await this.#open(user, id);
    await this.#pipeline.outsideGrown({ params: { id }, body: {} });
    return this.#storage.putChunk(chunk);
  }

  /** @throws ServiceError `invalid_request` when the entry is not this session's, or not signed by its recorder's key */
  async putEntry(user: User, params: { id: string; kind: Entry['kind'] | string }, note: string): Promise<Session> {
    const { id } = params;
    const { session, recorder } = await this.#open(user, id);
    const entry = readEntry(note, recorder);
    if (entry.kind !== `lucid/${params.kind}/v1`) throw wrong(`is a ${entry.kind}`);
    if (entry.session !== id) throw wrong(`is of session ${entry.session}`);
    const put = { params: { id, kind: params.kind as 'open' }, body: { note } };
    switch (entry.kind) {
      case 'lucid/open/v1':
        if (entry.server !== session.server_id) throw wrong(`names server ${entry.server}`);
        if (!equal(entry.policy, policyHash(session.policy))) throw wrong('holds the hash of another policy');
        await this.#storage.putEntry(put);
        return this.#pipeline.outsideOpened({ params: { id }, body: {} });
      case 'lucid/partial/v1':
        await this.#pipeline.outsideGrown({ params: { id }, body: {} });
        await this.#storage.putEntry(put);
        return session;
      case 'lucid/close/v1': {
        // A close that came before and was not told goes through: the store takes the same note again.
        if (session.state === 'created') throw new ServiceError('wrong_state', 'the open entry comes first');
        if (session.state === 'failed' || session.state === 'deleted') {
          throw new ServiceError('wrong_state', `the session is ${session.state}: nothing more is taken of it`);
        }
        await this.#storage.putEntry(put);
        const detail = `${entry.records} records in ${entry.leaves} chunks`;
        return this.#pipeline.outsideClosed({ params: { id }, body: { reason: entry.reason, detail } });
      }
    }
  }

  /** A session of the user that an outside recorder of theirs records. */
  async #open(user: User, id: string): Promise<{ session: Session; recorder: OutsideRecorder }> {
    const session = await this.#pipeline.getSession({ params: { id } });
    if (session.user_id !== user.id) throw new ServiceError('not_found', `you have no session ${id}`);
    if (session.recorder_id === null) throw new ServiceError('wrong_state', 'Lucid records this session itself');
    return { session, recorder: await this.#recorders.open(session.recorder_id, user.id) };
  }
}

function wrong(words: string): ServiceError {
  return new ServiceError('invalid_request', `the entry ${words}: not what is wanted here`);
}

function readEntry(note: string, recorder: OutsideRecorder): Entry {
  const key = parseVerifierKey(sha256, recorder.verifier_key);
  try {
    const entry = parseEntry(openNote(utf8(note), [key], { verify: verifyEd25519 }).text);
    if (entry.node !== key.name) throw wrong(`names node ${entry.node}, the key is ${key.name}`);
    return entry;
  } catch (error) {
    if (error instanceof FormatError) throw new ServiceError('invalid_request', `not an entry: ${error.message}`);
    throw error;
  }
}
