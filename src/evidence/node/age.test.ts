import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { Decrypter, Encrypter } from 'age-encryption';
import * as cctv from 'cctv-age';
import fc from 'fast-check';
import { FormatError } from '#evidence/format-error.ts';
import { needs } from '../../../test/support/needs.ts';
import { AgeSealer, openAge, openBytes, sealBytes } from './age.ts';
import { formatIdentity, generateIdentity, parseIdentity, parseIdentityFile, parseRecipient } from './age-keys.ts';

const SEGMENT = 64 * 1024;
const folder = mkdtempSync(join(tmpdir(), 'lucid-age-'));
after(() => rmSync(folder, { recursive: true }));

interface Vector {
  readonly name: string;
  readonly fields: ReadonlyMap<string, string>;
  readonly identities: readonly string[];
  readonly file: Buffer;
}

const vectors = Object.entries(cctv as unknown as Record<string, Uint8Array>)
  .filter(([, bytes]) => bytes instanceof Uint8Array)
  .map(([name, bytes]): Vector => {
    const end = Buffer.from(bytes).indexOf('\n\n');
    const lines = Buffer.from(bytes.subarray(0, end)).toString().split('\n');
    const pairs = lines.map((line) => line.split(': ', 2) as [string, string]);
    const fields = new Map(pairs);
    const stored = Buffer.from(bytes.subarray(end + 2));
    const file = fields.get('compressed') === 'zlib' ? inflateSync(stored) : stored;
    return { name, fields, identities: pairs.filter(([key]) => key === 'identity').map(([, value]) => value), file };
  });

const isX25519 = ({ fields, identities }: Vector) =>
  !fields.has('armored') && !fields.has('passphrase') && !identities.some((text) => text.includes('-PQ-'));

const FIELD_OF_FAILURE: Record<string, RegExp> = {
  'no match': /^age\.identity$/,
  'HMAC failure': /^age\.mac$/,
  'header failure': /^age\.header/,
  'payload failure': /^age\.payload$/,
};

suite('the published vectors', () => {
  test('143 are there, 67 of them X25519 without armour', () => {
    assert.equal(vectors.length, 143);
    assert.equal(vectors.filter(isX25519).length, 67);
  });

  for (const vector of vectors.filter(isX25519)) {
    test(vector.name, () => {
      const expected = vector.fields.get('expect')!;
      const payload = createHash('sha256');
      let failure: FormatError | undefined;
      try {
        for (const part of openAge(vector.file, vector.identities.map(parseIdentity))) payload.update(part);
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error));
        failure = error;
      }
      if (expected === 'success') assert.equal(failure, undefined);
      else assert.match(failure!.field, FIELD_OF_FAILURE[expected]);
      if (vector.fields.has('payload')) assert.equal(payload.digest('hex'), vector.fields.get('payload'));
    });
  }

  test('armour, passphrases and post-quantum recipients are refused, never opened', () => {
    const identity = generateIdentity();
    for (const vector of vectors.filter((one) => !isX25519(one))) {
      const ours = vector.identities.filter((text) => !text.includes('-PQ-')).map(parseIdentity);
      assert.throws(() => openBytes(vector.file, [...ours, identity]), FormatError, vector.name);
    }
  });
});

suite('sealing', () => {
  const identity = generateIdentity();

  test('round trips around the ends of segments, whole and byte by byte', () => {
    for (const length of [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, 2 * SEGMENT + 5]) {
      const plain = randomBytes(length);
      assert.deepEqual(openBytes(sealBytes(plain, [identity.recipient]), [identity]), plain);
      const parts: Uint8Array[] = [];
      const sealer = new AgeSealer([identity.recipient], (part) => parts.push(part));
      for (let at = 0; at < length; at += 997) sealer.update(plain.subarray(at, at + 997));
      sealer.final();
      assert.deepEqual(openBytes(Buffer.concat(parts), [identity]), plain);
    }
  });

  test('the header takes 168 bytes for one recipient and 98 more for each further one', () => {
    const recipients = [identity, generateIdentity(), generateIdentity()].map(({ recipient }) => recipient);
    // After the header: nonce and the tag of an empty payload.
    assert.deepEqual(
      [1, 2, 3].map((count) => sealBytes(Buffer.alloc(0), recipients.slice(0, count)).length - 32),
      [168, 266, 364],
    );
  });

  test('each of several recipients opens it, a stranger does not', () => {
    const [one, two] = [generateIdentity(), generateIdentity()];
    const sealed = sealBytes(Buffer.from('evidence'), [one.recipient, two.recipient]);
    for (const reader of [one, two]) assert.equal(openBytes(sealed, [identity, reader]).toString(), 'evidence');
    assert.throws(() => openBytes(sealed, [identity]), { field: 'age.identity' });
  });

  test('no recipient is refused', () => {
    assert.throws(() => sealBytes(Buffer.alloc(1), []), FormatError);
  });

  test('age-encryption opens what we seal, and we what it seals', async () => {
    for (const length of [0, 10, SEGMENT, 3 * SEGMENT + 1]) {
      const plain = randomBytes(length);
      const decrypter = new Decrypter();
      decrypter.addIdentity(formatIdentity(identity));
      const opened = await decrypter.decrypt(sealBytes(plain, [generateIdentity().recipient, identity.recipient]));
      assert.deepEqual(Buffer.from(opened), plain);
      const encrypter = new Encrypter();
      encrypter.addRecipient(identity.recipient);
      assert.deepEqual(openBytes(await encrypter.encrypt(Uint8Array.from(plain)), [identity]), plain);
    }
  });

  test("Debian's age opens what we seal, and we what it seals", { skip: needs('age') }, () => {
    const keyFile = join(folder, 'identity.txt');
    writeFileSync(keyFile, `# created by a test\n${formatIdentity(identity)}\n`);
    const plain = randomBytes(2 * SEGMENT + 77);
    const opened = spawnSync('age', ['-d', '-i', keyFile], { input: sealBytes(plain, [identity.recipient]) });
    assert.equal(opened.status, 0, String(opened.stderr));
    assert.deepEqual(opened.stdout, plain);
    const sealed = spawnSync('age', ['-r', identity.recipient], { input: plain });
    assert.deepEqual(openBytes(sealed.stdout, [identity]), plain);
  });
});

suite('reading', () => {
  const identity = generateIdentity();

  test('any change of a byte, and any truncation, is refused', () => {
    const sealed = sealBytes(randomBytes(40), [identity.recipient]);
    for (let i = 0; i < sealed.length; i++) {
      const changed = Buffer.from(sealed);
      changed[i] ^= 1 << (i % 8);
      assert.throws(() => openBytes(changed, [identity]), FormatError, `byte ${i}`);
      assert.throws(() => openBytes(sealed.subarray(0, i), [identity]), FormatError, `length ${i}`);
    }
  });

  test('noise ends in a FormatError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (noise, header) => {
        const file = header ? Buffer.concat([Buffer.from('age-encryption.org/v1\n-> '), noise]) : noise;
        assert.throws(() => openBytes(file, [identity]), FormatError);
      }),
    );
  });

  test('keys: text and back, and the ways in which they can be wrong', () => {
    assert.equal(parseIdentity(formatIdentity(identity)).recipient, identity.recipient);
    assert.deepEqual(Buffer.from(parseRecipient(identity.recipient)), Buffer.from(identity.publicKey));
    assert.throws(() => parseRecipient(identity.recipient.toUpperCase()), FormatError);
    assert.throws(() => parseIdentity(formatIdentity(identity).toLowerCase()), FormatError);
    assert.throws(() => parseIdentity(identity.recipient), FormatError);
    assert.throws(() => parseIdentityFile('# nothing\n\n'), /holds no AGE-SECRET-KEY/);
    assert.throws(() => parseIdentityFile(`# one\nAGE-SECRET-KEY-1QQ\n`), /line 2/);
  });

  test('a wrong identity file does not repeat the secret', () => {
    const secret = formatIdentity(identity);
    const wrong = `${secret.slice(0, -1)}${secret.endsWith('Q') ? 'P' : 'Q'}`;
    assert.throws(
      () => parseIdentityFile(wrong),
      (error: Error) => !error.message.includes(secret.slice(20, 40)),
    );
  });
});
