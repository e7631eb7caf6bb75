/** The examples of docs/examples, as a reader would run them, on all of Lucid. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { Scope } from '#contract/common.ts';
import { DemoDesktop } from '#demo/demo-desktop.ts';
import { HeadlessClient } from '#demo/headless-client.ts';
import { chunkPath } from '#evidence/bundle-layout.ts';
import { createSigner } from '#evidence/node/signing.ts';
import { newId } from '#platform/id.ts';
import { apiAt, TestLucid } from '../support/lucid.ts';
import { needs } from '../support/needs.ts';
import { recordSession } from '../support/recorded-session.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const PASSWORD = 'a password for tests';
const runFile = promisify(execFile);

describe('examples', () => {
  let lucid: TestLucid;
  let desktop: DemoDesktop;
  let folder: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lucid-examples-'));
    desktop = await DemoDesktop.start({ tickMs: 0, credentials: { userName: 'kiosk', password: PASSWORD } });
    lucid = await TestLucid.start();
    const spec = { kind: 'external' as const, host: '127.0.0.1', port: desktop.port, user: 'kiosk' };
    await lucid.api.createServer({ body: { name: 'demo', spec, password: PASSWORD } });
  });
  after(async () => {
    await lucid?.close();
    await desktop?.close();
    rmSync(folder, { recursive: true });
  });

  const url = () => `http://127.0.0.1:${lucid.running.ports['session-api']}`;

  /** Runs an example. @param onLine told each line that it prints @returns all of them; @throws Error when it fails */
  async function run(name: string, scopes: Scope[], args: string[], onLine: (line: string) => void = () => {}) {
    const { token } = await lucid.api.createToken({ body: { name, scopes } });
    const child: ChildProcess = spawn(process.execPath, [join(ROOT, 'docs/examples', name), ...args], {
      env: { ...process.env, LUCID_URL: url(), LUCID_TOKEN: token },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const lines: string[] = [];
    const errors: string[] = [];
    child.stderr!.on('data', (text) => errors.push(String(text)));
    for await (const line of createInterface(child.stdout!)) {
      lines.push(line);
      onLine(line);
    }
    if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode !== 0) throw new Error(`${name} ended with ${child.exitCode}: ${errors.join('')}`);
    return lines;
  }

  test('session.ts creates a session that somebody uses, and downloads its recording', async () => {
    const { gateway } = await lucid.createSession('demo', {});
    const used = Promise.withResolvers<void>();
    const use = async (line: string) => {
      const file = /^Open (\S+\.rdp) /.exec(line)?.[1];
      if (!file) return;
      const setting = (name: string) => new RegExp(`^${name}:s:(.*)\r$`, 'm').exec(readFileSync(file, 'utf8'))![1];
      const [host, port] = setting('full address').split(':');
      const client = await HeadlessClient.connect({
        to: { host, port: Number(port) },
        pin: gateway.certificate_sha256,
        routingToken: setting('loadbalanceinfo'),
        userName: setting('username'),
        password: '',
      });
      await client.type('by example');
      await client.waitForPad((text) => text.includes('by example'), 'what was typed');
      await client.disconnect();
    };
    const scopes: Scope[] = ['sessions:write', 'sessions:read', 'evidence:read'];
    const lines = await run('session.ts', scopes, ['demo', folder], (line) =>
      use(line).then(used.resolve, used.reject),
    );
    await used.promise;
    assert.ok(lines.includes('It is over: the client left'), lines.join('\n'));
    const [, bundle, key] = /lucid verify (\S+) --node-key '(.+)'$/.exec(lines.at(-1)!)!;
    assert.match(await lucid.lucid('verify', bundle, '--node-key', key), /^ {2}ok +entries/m);
    const { items } = await lucid.api.listSessions({ query: { label: 'made_by=session.ts' } });
    assert.equal(items.length, 1);
  });

  test('outside-recorder.ts uploads a recording, and goes on where it broke off', async () => {
    const signer = createSigner(join(folder, 'box.pem'), 'box-2');
    const me = await lucid.api.whoAmI({});
    const recorder = await lucid.api.createRecorder({
      body: { name: 'Box 2', verifier_key: signer.verifier, user_id: me.id },
    });
    const server = newId();
    const { id } = await lucid.api.createOutsideSession({ params: { id: recorder.id }, body: { server_id: server } });
    const recorded = recordSession(folder, { id, server, signer, runs: 2 });
    const missing = join(recorded.folder, chunkPath(recorded.leaves[7]));
    renameSync(missing, `${missing}.away`);
    const upload = () => run('outside-recorder.ts', ['recordings:write'], [id, recorded.folder]);
    await assert.rejects(upload(), /ENOENT/);
    const half = await lucid.api.getEvidence({ params: { id } });
    assert.deepEqual([half.state, half.chunks], ['live', 5]);
    renameSync(`${missing}.away`, missing);
    assert.deepEqual(await upload(), ['10 chunks uploaded; the session is completed']);
    const bundle = await lucid.bundleOf(id);
    assert.match(await lucid.lucid('verify', bundle, '--node-key', signer.verifier), /^ {2}ok +entries/m);
    assert.ok(readdirSync(bundle).includes('close.note'));
  });

  test('the blocks of docs/api.md run one after another', { skip: needs('curl') }, async () => {
    const guide = readFileSync(join(ROOT, 'docs/api.md'), 'utf8');
    const blocks = [...guide.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text]) => text);
    const script = ['set -eu', ...blocks, 'echo; echo "$SESSION $API_TOKEN"'].join('\n');
    await lucid.api.createUser({ body: { name: 'guide', role: 'admin', password: PASSWORD } });
    const { stdout } = await runFile('sh', ['-c', script.replace('"name\\":\\"admin', '"name\\":\\"guide')], {
      env: { ...process.env, LUCID: url(), PASSWORD, SERVER: 'demo' },
    });
    const [, session, token] = /^(\S{36}) (lucid_\S+)$/m.exec(stdout)!;
    const { state, labels, reason } = await lucid.api.getSession({ params: { id: session } });
    assert.deepEqual([state, labels], ['failed', { ticket: '4711' }]);
    assert.match(reason!, /ended by its owner: enough$/);
    assert.ok(stdout.includes('"next_cursor":'));
    assert.equal(
      await apiAt(url(), token)
        .whoAmI({})
        .catch(({ code }) => code),
      'forbidden',
    );
  });

  test('check-proof.ts shows that a chunk belongs to its session, and that another does not', async () => {
    const { session } = await lucid.createSession('demo', {});
    const params = { id: session.id };
    await lucid.api.startSession({ params });
    const { gateway, ticket_id: userName, secret: password } = await lucid.api.createTicket({ params, body: {} });
    const to = { host: gateway.host, port: gateway.port };
    const client = await HeadlessClient.connect({ to, pin: gateway.certificate_sha256, userName, password });
    await client.disconnect();
    await lucid.until(session.id, 'completed');
    const place = { params: { ...params, stream: 'screen' as const, index: 0 } };
    const proof = await lucid.api.proveChunk(place);
    const { verifier_key: key } = await lucid.api.nodeKey({});
    const [proofFile, chunkFile] = [join(folder, 'proof.json'), join(folder, 'chunk.age')];
    const check = () =>
      runFile(process.execPath, [join(ROOT, 'docs/examples/check-proof.ts'), proofFile, chunkFile, key]);
    writeFileSync(proofFile, JSON.stringify(proof));
    writeFileSync(chunkFile, await lucid.api.getChunk(place));
    assert.equal((await check()).stdout, 'the chunk belongs to the session\n');
    writeFileSync(proofFile, JSON.stringify({ ...proof, leaf: proof.leaf.replace(/ \d+$/, ' 9') }));
    await assert.rejects(check(), /does not lead to the root/);
    writeFileSync(proofFile, JSON.stringify(proof));
    writeFileSync(chunkFile, 'something else');
    await assert.rejects(check(), /another SHA-256/);
  });
});
