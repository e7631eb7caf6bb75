import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeRdpFile } from './rdp-file.ts';

const file = { host: 'lucid.example', port: 3389, ticketId: 'the-ticket', secret: 'abc234', policy: {} };

function settingsOf(text: string): Map<string, string> {
  assert.ok(text.endsWith('\r\n'));
  return new Map(
    text
      .trimEnd()
      .split('\r\n')
      .map((line) => {
        const [, name, type, value] = /^([a-z ]+):([si]):(.*)$/.exec(line)!;
        if (type === 'i') assert.match(value, /^\d+$/);
        return [name, value];
      }),
  );
}

test('the ticket is the routing token, its secret the user name, and CredSSP is off', () => {
  const settings = settingsOf(writeRdpFile(file));
  assert.equal(settings.get('full address'), 'lucid.example:3389');
  assert.equal(settings.get('loadbalanceinfo'), 'Cookie: msts=the-ticket');
  assert.equal(settings.get('username'), 'abc234');
  assert.equal(settings.get('enablecredsspsupport'), '0');
  assert.equal(settings.get('desktopwidth'), undefined);
});

test('only what the policy allows is redirected', () => {
  const denied = settingsOf(writeRdpFile(file));
  for (const name of ['redirectclipboard', 'redirectdrives', 'redirectprinters', 'audiocapturemode']) {
    assert.equal(denied.get(name), '0', name);
  }
  assert.equal(denied.get('audiomode'), '2');
  assert.equal(denied.get('drivestoredirect'), '');
  const policy = { clipboard_to_client: true, drives: true, audio_output: true };
  const allowed = settingsOf(writeRdpFile({ ...file, policy }));
  assert.equal(allowed.get('redirectclipboard'), '1');
  assert.equal(allowed.get('drivestoredirect'), '*');
  assert.equal(allowed.get('audiomode'), '0');
});

test('an IPv6 host stands in brackets, a known desktop size is given', () => {
  const settings = settingsOf(writeRdpFile({ ...file, host: '2001:db8::1', size: { width: 1280, height: 800 } }));
  assert.equal(settings.get('full address'), '[2001:db8::1]:3389');
  assert.equal(settings.get('desktopheight'), '800');
});
