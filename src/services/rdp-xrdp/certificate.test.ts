import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SettingError } from '#platform/config.ts';
import { createSelfSigned } from '#platform/pki.ts';
import { openCertificate } from './certificate.ts';

const folder = mkdtempSync(join(tmpdir(), 'lucid-certificate-'));
after(() => rmSync(folder, { recursive: true }));
const none = { certificate: '', key: '' };

test('a certificate is made once', async () => {
  const first = await openCertificate(none, folder);
  const second = await openCertificate(none, folder);
  assert.equal(first.sha256, second.sha256);
  assert.match(first.sha256, /^[0-9a-f]{64}$/);
  assert.equal(statSync(join(folder, 'rdp.key')).mode & 0o077, 0);
  const shown = new X509Certificate(readFileSync(join(folder, 'rdp.pem')));
  assert.equal(shown.fingerprint256.replaceAll(':', '').toLowerCase(), first.sha256);
});

test('a certificate that is given is used', async () => {
  const { cert, key } = await createSelfSigned('given');
  const given = { certificate: join(folder, 'given.pem'), key: join(folder, 'given.key') };
  writeFileSync(given.certificate, cert);
  writeFileSync(given.key, key);
  const opened = await openCertificate(given, folder);
  assert.equal(opened.sha256, new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase());
});

test('files that cannot be used are named', async () => {
  const missing = { certificate: join(folder, 'missing.pem'), key: join(folder, 'missing.key') };
  await assert.rejects(openCertificate(missing, folder), (error: Error) => {
    assert.ok(error instanceof SettingError);
    assert.match(error.message, /missing\.pem/);
    return true;
  });
  await assert.rejects(openCertificate({ ...none, key: 'a.key' }, folder), /belong together/);
});
