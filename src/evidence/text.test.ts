import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bech32Decode, bech32Encode } from './bech32.ts';
import { FormatError } from './format-error.ts';
import { fromBase64, fromHex, toBase64, toHex } from './text.ts';

test('base64 and hexadecimal are those of Node.js', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      assert.equal(toBase64(bytes), Buffer.from(bytes).toString('base64'));
      assert.equal(toHex(bytes), Buffer.from(bytes).toString('hex'));
      assert.deepEqual(Buffer.from(fromBase64(toBase64(bytes), 'x')), Buffer.from(bytes));
      assert.deepEqual(Buffer.from(fromHex(toHex(bytes), bytes.length, 'x')), Buffer.from(bytes));
    }),
  );
});

test('base64 has one spelling', () => {
  for (const text of ['A', 'AA', 'AA=', 'AB==', 'AAB=', 'AA==\n', ' AA==', 'AA--', '====', 'A===', 'AA=A']) {
    assert.throws(() => fromBase64(text, 'x'), FormatError, text);
  }
});

test('hexadecimal has one spelling', () => {
  for (const text of ['', 'a', 'AA', 'aaa', ' aa', '0x']) assert.throws(() => fromHex(text, 1, 'x'), FormatError, text);
});

// Valid and invalid strings that BIP 173 prints.
test('Bech32 vectors of BIP 173', () => {
  for (const text of [
    'A12UEL5L',
    'a12uel5l',
    'an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs',
    'abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw',
    '?1ezyfcl',
  ]) {
    const { prefix, bytes } = bech32Decode(text);
    assert.equal(bech32Encode(prefix, bytes), text.toLowerCase());
  }
  for (const text of [
    'pzry9x0s0muk',
    '1pzry9x0s0muk',
    'x1b4n0q5v',
    'li1dgmt3',
    'A1G7SGD8',
    '10a06t8',
    '1qzzfhee',
    'a12UEL5L',
  ]) {
    assert.throws(() => bech32Decode(text), FormatError, text);
  }
});

test('Bech32 is read back, and a changed character is found', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(), (bytes, at) => {
      const text = bech32Encode('age', bytes);
      assert.deepEqual(Buffer.from(bech32Decode(text).bytes), Buffer.from(bytes));
      const place = 4 + (at % (text.length - 4));
      const other = text[place] === 'q' ? 'p' : 'q';
      assert.throws(() => bech32Decode(text.slice(0, place) + other + text.slice(place + 1)), FormatError);
    }),
  );
});

test('noise is no Bech32', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
      assert.throws(() => bech32Decode(text), FormatError);
    }),
  );
});
