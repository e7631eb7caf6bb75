/** A session's bundle as an archive, any range of it. */
import { createHash } from 'node:crypto';
import { ServiceError } from '#contract/errors.ts';
import { OPEN_PATH } from '#evidence/bundle-layout.ts';
import { FormatError } from '#evidence/format-error.ts';
import { addedFiles } from '#evidence/node/bundle-writer.ts';
import { exists } from '../durable-write.ts';
import { readEntry } from '../session-facts.ts';
import type { SessionPlace } from '../session-place.ts';
import { memoryMember } from './member.ts';
import { lengthOf, readSegments, type Segment } from './segment.ts';
import { SessionMembers } from './session-members.ts';
import { tarSegments } from './tar-segments.ts';
import { zipSegments } from './zip-segments.ts';

export type BundleFormat = 'tar' | 'zip';

export class Bundle {
  readonly #members: SessionMembers;
  readonly #format: BundleFormat;
  /** Names these very bytes: another bundle of the session has another one. */
  readonly etag: string;

  private constructor(members: SessionMembers, format: BundleFormat, etag: string) {
    this.#members = members;
    this.#format = format;
    this.etag = etag;
  }

  /**
   * @param damaged paths of chunks that are known to be missing or cut off: they are left out, which verifiers see
   * @throws ServiceError `not_found`, `wrong_state` before the open entry is there, `unavailable`
   */
  static async open(place: SessionPlace, format: BundleFormat, damaged: ReadonlySet<string>): Promise<Bundle> {
    const open = await readEntry(place.home, OPEN_PATH).catch((error) => {
      if (!(error instanceof FormatError)) throw error;
      throw new ServiceError('unavailable', `the evidence of session ${place.session} is damaged: ${error.message}`);
    });
    if (open?.kind !== 'lucid/open/v1') {
      if (!(await exists(place.home)))
        throw new ServiceError('not_found', `nothing is stored of session ${place.session}`);
      throw new ServiceError('wrong_state', `there is no bundle of session ${place.session} yet: it has no open entry`);
    }
    const added = addedFiles(open).map(({ path, text }) => memoryMember(path, Buffer.from(text)));
    const members = await SessionMembers.open(place, { purpose: 'bundle', added, damaged });
    const hash = createHash('sha256').update(`${format} ${members.leavesBytes} ${[...damaged].sort().join()}\n`);
    for (const member of members.small) {
      // Partial entries never change: their number and size say enough.
      const sum = member.path.startsWith('partial/') ? '' : await member.sha256();
      hash.update(`${member.path} ${member.size} ${sum}\n`);
    }
    return new Bundle(members, format, hash.digest('hex').slice(0, 32));
  }

  /** The session is over: a download that broke off can be taken up again. */
  get isStable(): boolean {
    return this.#members.isClosed;
  }

  /** Bytes of the archive. */
  length(): Promise<number> {
    return lengthOf(this.#segments());
  }

  /** The bytes from `from` up to and without `to`. @throws ServiceError `unavailable` when a file is not as it must be */
  read(from?: number, to?: number): AsyncGenerator<Uint8Array> {
    return readSegments(this.#segments(), from, to);
  }

  #segments(): AsyncGenerator<Segment> {
    const members = () => this.#members.all();
    return this.#format === 'tar' ? tarSegments(members()) : zipSegments(members);
  }
}
