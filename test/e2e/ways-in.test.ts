/** What the command line tells a person to do really connects FreeRDP: the .rdp file as it is, and the line to paste. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DemoDesktop } from '#demo/demo-desktop.ts';
import { Background } from '../support/child.ts';
import { Display } from '../support/display.ts';
import { eventually } from '../support/eventually.ts';
import { TestLucid } from '../support/lucid.ts';
import { needs } from '../support/needs.ts';

const skip = needs('xfreerdp', 'Xvfb', 'xdotool', 'xwd');

describe('ways in', { skip }, () => {
  let lucid: TestLucid;
  let desktop: DemoDesktop;
  let display: Display;
  let home: string;
  const clients: Background[] = [];

  before(async () => {
    home = mkdtempSync(join(tmpdir(), 'lucid-ways-in-'));
    desktop = await DemoDesktop.start({ tickMs: 0 });
    display = await Display.create(1280, 800);
    lucid = await TestLucid.start();
    const spec = { kind: 'external' as const, host: '127.0.0.1', port: desktop.port };
    await lucid.api.createServer({ body: { name: 'demo', spec } });
  });
  after(async () => {
    for (const client of clients) await client.close();
    await lucid?.close();
    await display?.close();
    await desktop?.close();
    rmSync(home, { recursive: true, force: true });
  });

  /** FreeRDP as a person starts it, with nobody there to answer a question. */
  function start(command: string): Background {
    const env = { ...process.env, DISPLAY: display.name, HOME: home };
    const client = new Background('sh', ['-c', `exec ${command} -grab-keyboard`], env);
    clients.push(client);
    return client;
  }

  async function newestSession(): Promise<string> {
    const { items } = JSON.parse(await lucid.lucid('session', 'list', '--limit', '1', '--json'));
    return items[0].id;
  }

  async function typedOnTheDesktop(text: string): Promise<void> {
    await eventually(`${text} on the desktop`, () => desktop.model.state.text.includes(text));
  }

  test('the .rdp file, opened as it is', async () => {
    const file = join(home, 'demo.rdp');
    await lucid.lucid('session', 'create', 'demo', '--rdp', file);
    assert.match(readFileSync(file, 'utf8'), /^loadbalanceinfo:s:Cookie: msts=/m);
    const client = start(`xfreerdp '${file}' /cert:ignore`);
    const id = await newestSession();
    await lucid.until(id, 'recording');
    await display.findWindow('FreeRDP');
    await display.act('type', '--delay', 20, 'by file');
    await typedOnTheDesktop('by file');
    await client.close();
    await lucid.lucid('session', 'end', id, '--wait');
  });

  test('the command line, pasted; its end is told with the reason', async () => {
    const words = await lucid.lucid('session', 'create', 'demo');
    const command = /^ +FreeRDP +(xfreerdp .*)$/m.exec(words)![1];
    const client = start(command);
    const id = await newestSession();
    await lucid.until(id, 'recording');
    await display.findWindow('FreeRDP');
    await display.act('type', '--delay', 20, 'by line');
    await typedOnTheDesktop('by line');
    const before = await display.quietScreenshot();
    const ended = JSON.parse(await lucid.lucid('session', 'end', id, '--reason', 'maintenance', '--wait', '--json'));
    assert.deepEqual([ended.state, ended.reason], ['completed', 'ended by its owner: maintenance']);
    assert.notDeepEqual((await display.quietScreenshot()).pixels, before.pixels, 'the reason is drawn');
    await display.act('key', 'Return');
    await client.ended();
  });

  test('the line pins the gateway: with another certificate FreeRDP does not connect', async () => {
    const words = await lucid.lucid('session', 'create', 'demo');
    const command = /^ +FreeRDP +(xfreerdp .*)$/m.exec(words)![1];
    const client = start(command.replace(/sha256:..:/, (pin) => (pin === 'sha256:00:' ? 'sha256:01:' : 'sha256:00:')));
    assert.notEqual(await client.ended(), 0);
    const id = await newestSession();
    assert.equal((await lucid.api.getSession({ params: { id } })).state, 'created');
  });
});
