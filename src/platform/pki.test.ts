import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createSecureContext } from 'node:tls';
import { writeSecretFile } from './files.ts';
import { PrivateAuthority } from './pki.ts';

const folder = mkdtempSync(join(tmpdir(), 'lucid-pki-'));
after(() => rmSync(folder, { recursive: true }));

test('those who open a new authority at the same time get the same one, and nothing else is left', async () => {
  const parent = join(folder, 'together');
  const pki = join(parent, 'pki');
  const opened = await Promise.all([1, 2, 3].map(() => PrivateAuthority.open(pki)));
  const issued = await Promise.all(opened.map((authority) => authority.issue('rdp-xrdp')));
  assert.equal(new Set(issued.map(({ ca }) => ca)).size, 1);
  assert.deepEqual(readdirSync(parent), ['pki']);
});

test('a certificate is signed by the authority, names its service, and is kept', async () => {
  const pki = join(folder, 'kept');
  const first = await (await PrivateAuthority.open(pki)).issue('session-storage');
  createSecureContext(first);
  const certificate = new X509Certificate(first.cert);
  assert.ok(certificate.verify(new X509Certificate(first.ca).publicKey));
  assert.equal(certificate.checkHost('session-storage'), 'session-storage');
  assert.equal(statSync(join(pki, 'session-storage.pem')).mode & 0o777, 0o600);
  const again = await (await PrivateAuthority.open(pki)).issue('session-storage');
  assert.deepEqual(again, first);
});

test('a certificate of another authority is replaced', async () => {
  const pki = join(folder, 'own');
  const stranger = await (await PrivateAuthority.open(join(folder, 'other'))).issue('rdp-xrdp');
  const authority = await PrivateAuthority.open(pki);
  writeSecretFile(join(pki, 'rdp-xrdp.pem'), stranger.key);
  const { cert, ca } = await authority.issue('rdp-xrdp');
  assert.ok(new X509Certificate(cert).verify(new X509Certificate(ca).publicKey));
});
