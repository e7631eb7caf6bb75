import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from './format-error.ts';
import { sha256, verifyEd25519 } from './node/hash.ts';
import { formatVerifierKey, openNote, parseNote, parseVerifierKey, signNote, verifierKey } from './note.ts';
import { utf8 } from './text.ts';

const crypto = { verify: verifyEd25519 };

function signer(name: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const key = verifierKey(sha256, name, Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url'));
  return { key, sign: (text: string) => signNote(text, key, (message) => sign(null, message, privateKey)) };
}

const TEXT = 'first line\n\nan empty line may stand within\n';
const [alice, bob] = [signer('alice.example/log'), signer('bob.example/log')];

/** The note that both sign. */
function both(): string {
  return alice.sign(TEXT) + bob.sign(TEXT).slice(TEXT.length + 1);
}

// The example key, signature and note of Go's package golang.org/x/mod/sumdb/note.
const PETER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const PETER_NOTE = `If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`;

suite('notes', () => {
  test("the example of Go's note package opens", () => {
    const key = parseVerifierKey(sha256, PETER);
    assert.equal(formatVerifierKey(key), PETER);
    assert.match(openNote(utf8(PETER_NOTE), [key], crypto).text, /^If you think .* problem is\.\n$/s);
  });

  test('what is signed opens with the key that signed', () => {
    const note = alice.sign(TEXT);
    assert.deepEqual(openNote(utf8(note), [alice.key], crypto), { text: TEXT, signers: [alice.key] });
  });

  test('unknown keys are ignored, unless no other signed', () => {
    assert.deepEqual(openNote(utf8(both()), [bob.key], crypto).signers, [bob.key]);
    assert.throws(
      () => openNote(utf8(alice.sign(TEXT)), [bob.key], crypto),
      /signed by alice\.example\/log\+.*wanted bob/,
    );
    assert.throws(() => openNote(utf8(alice.sign(TEXT)), [], crypto), /a known key, none was given/);
  });

  test('a known key whose signature is wrong refuses the note, though another signed well', () => {
    const note = both().replace('first', 'other');
    assert.throws(() => openNote(utf8(note), [alice.key], crypto), /the signature of alice\.example\/log is wrong/);
    const mixed = alice.sign(TEXT) + bob.sign('other\n').slice('other\n'.length + 1);
    assert.throws(() => openNote(utf8(mixed), [alice.key, bob.key], crypto), /bob\.example\/log is wrong/);
  });

  test('the same name with another key is another key', () => {
    const impostor = signer('alice.example/log');
    assert.throws(() => openNote(utf8(impostor.sign(TEXT)), [alice.key], crypto), FormatError);
  });

  test('any change of a byte is refused', () => {
    const note = utf8(alice.sign(TEXT));
    for (let i = 0; i < note.length; i++) {
      const changed = note.slice();
      changed[i] ^= 1 << (i % 7);
      assert.throws(() => openNote(changed, [alice.key], crypto), FormatError, `byte ${i}`);
    }
  });

  test('malformed notes are refused', () => {
    const line = alice.sign(TEXT).slice(TEXT.length + 1);
    for (const note of [
      '',
      TEXT,
      `${TEXT}\n`,
      `${TEXT}${line}`,
      `${TEXT}\n${line.trimEnd()}`,
      `${TEXT}\n${line.replace('— ', '- ')}`,
      `${TEXT}\n${line.replace('\n', ' \n')}`,
      `${TEXT}\n${line.replace('\n', '\r\n')}`,
      `${TEXT}\n— alice.example/log AAAA\n`,
      `a\tb\n\n${line}`,
      `${TEXT}\n${line.repeat(101)}`,
    ]) {
      assert.throws(() => parseNote(utf8(note)), FormatError, note.slice(0, 60));
    }
    assert.throws(() => parseNote(Uint8Array.of(0xff, 0x0a, 0x0a)), FormatError);
    assert.throws(() => alice.sign('no line feed'), RangeError);
  });

  test('keys: text and back, and the ways in which it can be wrong', () => {
    const text = formatVerifierKey(alice.key);
    assert.deepEqual(formatVerifierKey(parseVerifierKey(sha256, text)), text);
    for (const wrong of [
      '',
      'alice',
      'alice+00000000',
      text.replace('alice', 'malice'),
      `${text}A`,
      text.replace(/\+A/, '+B'),
    ]) {
      assert.throws(() => parseVerifierKey(sha256, wrong), FormatError, wrong);
    }
    assert.throws(() => verifierKey(sha256, 'with space', alice.key.publicKey), RangeError);
  });

  test('noise is no note and no key', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.string({ unit: 'binary' }), (noise, text) => {
        assert.throws(() => parseNote(noise), FormatError);
        assert.throws(() => parseVerifierKey(sha256, text), FormatError);
      }),
    );
  });
});
