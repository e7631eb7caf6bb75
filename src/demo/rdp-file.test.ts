import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRdpFile } from './rdp-file.ts';

test('address, routing token and user name are found', () => {
  const lines = ['full address:s:[::1]:3389', 'loadbalanceinfo:s:Cookie: msts=a:b', 'username:s:x', ''];
  assert.deepEqual(readRdpFile(lines.join('\r\n')), {
    host: '::1',
    port: 3389,
    routingToken: 'Cookie: msts=a:b',
    userName: 'x',
  });
});

test('what is missing is named', () => {
  assert.throws(() => readRdpFile('full address:s:host:3389\n'), /loadbalanceinfo/);
});
