import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Desktop, type DesktopHost } from './desktop.ts';
import { DesktopError } from './desktop-error.ts';
import type { Backend } from './options.ts';
import { identify } from './process-identity.ts';
import { missingPackages } from './programs.ts';

const missing = [...new Set([...missingPackages('vnc', true), ...missingPackages('xorg', true)])];
const why = `needs ${missing.join(', ')}: apt-get install -y --no-install-recommends ${missing.join(' ')}`;
const skip = missing.length > 0 && process.env.CI !== 'true' && why;

const data = mkdtempSync(join(tmpdir(), 'lucid-desktops-'));
chmodSync(data, 0o711);
after(async () => {
  for (const name of readdirSync(data)) await Desktop.clean(join(data, name));
  rmSync(data, { recursive: true, force: true });
});
const host: DesktopHost = { sandbox: 'bubblewrap', uid: 65532, hidden: [data] };

let count = 0;
const newFolder = () => join(data, `${++count}`);

/** Ids of processes, on the host, whose parent is `pid`, or whose parent's parent is, and so on. */
function descendants(pid: number): { pid: number; name: string }[] {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((id) => {
      try {
        const stat = readFileSync(`/proc/${id}/stat`, 'latin1');
        const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
        return [{ pid: Number(id), parent, name: stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')) }];
      } catch {
        return [];
      }
    });
  const below = (parent: number): typeof processes =>
    processes.filter((each) => each.parent === parent).flatMap((each) => [each, ...below(each.pid)]);
  return below(pid);
}

async function readWhenWritten(path: string): Promise<string> {
  for (let i = 0; i < 200; i++) {
    if (existsSync(path)) return readFileSync(path, 'utf8');
    await sleep(50);
  }
  throw new Error(`${path} was never written`);
}

describe('a hosted desktop', { skip, concurrency: false }, () => {
  for (const backend of ['vnc', 'xorg'] satisfies Backend[]) {
    test(`${backend}: starts, answers, stops and leaves nothing behind`, async () => {
      const path = newFolder();
      const desktop = await Desktop.start(path, { backend }, host);
      const programs = ['openbox', 'xrdp', 'xterm', backend === 'vnc' ? 'Xvnc' : 'Xorg'];
      // The window manager starts the terminal when it is ready itself.
      let inside = descendants(desktop.pid);
      for (let i = 0; !programs.every((name) => inside.some((each) => each.name === name)); i++) {
        assert.ok(i < 100, `only ${inside.map(({ name }) => name)} run`);
        await sleep(50);
        inside = descendants(desktop.pid);
      }
      await desktop.check();
      await desktop.stop();
      assert.equal(await desktop.ended, 'stopped');
      assert.deepEqual(
        [desktop.pid, ...inside.map((each) => each.pid)].filter((pid) => existsSync(`/proc/${pid}`)),
        [],
      );
      assert.ok(!existsSync(desktop.socketPath));
      assert.deepEqual(readdirSync(path).sort(), ['desktop.log', 'sandbox']);
    });
  }

  test('two run at once, each with its own certificate', async () => {
    const desktops = await Promise.all([1, 2].map(() => Desktop.start(newFolder(), {}, host)));
    assert.notEqual(desktops[0].fingerprint, desktops[1].fingerprint);
    await Promise.all(desktops.map((desktop) => desktop.check()));
    await desktops[0].stop();
    await desktops[1].check();
    await desktops[1].stop();
  });

  test('a folder whose path is longer than a UNIX socket may have', async () => {
    const desktop = await Desktop.start(join(data, 'long'.repeat(40)), {}, host);
    assert.ok(desktop.socketPath.length > 107);
    await desktop.check();
    await desktop.stop();
  });

  test('from inside, nothing of the host can be seen or reached', async (t) => {
    const stranger = spawn('sleep', ['1000.125'], { stdio: 'ignore' });
    const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      stranger.kill();
      server.close();
    });
    process.env.LUCID_TEST_SECRET = 'do not leak';
    const session = `
      exec >probe.new 2>&1
      echo "root: $(ls / | tr '\\n' ' ')"
      echo "strangers: $(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -c '[1]000[.]125')"
      echo "data: $(ls ${data} 2>/dev/null | wc -l)"
      echo "interfaces: $(grep -c : /proc/net/dev)"
      echo "network: $( (exec 3<>/dev/tcp/127.0.0.1/${(server.address() as AddressInfo).port}) 2>/dev/null && echo reached || echo none)"
      echo "secret: $(env | grep -c 'do not leak')"
      echo "shadow: $(cat /etc/shadow 2>/dev/null | wc -l)"
      echo "write: $(touch /x /usr/x /etc/x /dev/x ~/../x /run/lucid/config/x 2>/dev/null; ls /x /usr/x /etc/x /dev/x ~/../x /run/lucid/config/x 2>/dev/null | wc -l)"
      echo "namespaces: $(unshare --user true 2>/dev/null && echo more || echo none)"
      echo "families: $(for f in 1 2 10 16 38 40; do perl -e 'print socket(my $s, shift, 2, 0) ? "yes " : "no "' $f; done)"
      grep -E '^(CapEff|CapPrm|CapBnd|NoNewPrivs|Seccomp|Groups):' /proc/self/status | tr -s '\\t ' ' '
      echo "limits: $(ulimit -u) $(ulimit -v) $(ulimit -c)"
      mv probe.new probe
      exec sleep 1000`;
    const desktop = await Desktop.start(
      newFolder(),
      { session, limits: { processes: 100, memoryMib: 1000, files: 256 } },
      host,
    );
    const found = await readWhenWritten(join(desktop.folder.home, 'probe'));
    assert.deepEqual(
      found
        .trim()
        .split('\n')
        .map((line) => line.trim()),
      [
        'root: bin dev etc home lib lib64 proc run sbin tmp usr var',
        'strangers: 0',
        'data: 0',
        'interfaces: 1',
        'network: none',
        'secret: 0',
        'shadow: 0',
        'write: 0',
        'namespaces: none',
        'families: yes yes yes yes no no',
        'Groups: ',
        'CapPrm: 0000000000000000',
        'CapEff: 0000000000000000',
        'CapBnd: 0000000000000000',
        'NoNewPrivs: 1',
        'Seccomp: 2',
        'limits: 100 1024000 0',
      ].map((line) => line.trim()),
    );
    const uid = readFileSync(`/proc/${desktop.pid}/status`, 'latin1').match(/^Uid:\s(\d+)/m)?.[1];
    assert.equal(Number(uid), process.getuid?.() === 0 ? host.uid : process.getuid?.());
    await desktop.stop();
  });

  test('the session sees display, home and user', async () => {
    const session =
      'xdpyinfo | grep -E "dimensions|depth of root" >probe.new; whoami >>probe.new; mv probe.new probe; exec sleep 1000';
    const desktop = await Desktop.start(newFolder(), { session, width: 1000, height: 700, depth: 16 }, host);
    const found = await readWhenWritten(join(desktop.folder.home, 'probe'));
    assert.match(found, /dimensions: +1000x700 pixels/);
    assert.match(found, /depth of root window: +16 planes/);
    assert.match(found, /^desktop$/m);
    await desktop.stop();
  });

  for (const program of ['xrdp', 'Xvnc', 'openbox']) {
    test(`${program} killed: the desktop ends and says so`, async () => {
      const desktop = await Desktop.start(newFolder(), {}, host);
      const inside = descendants(desktop.pid);
      process.kill(inside.find((each) => each.name === program)!.pid, 'SIGKILL');
      const name = program === 'openbox' ? 'session' : program;
      assert.equal(await desktop.ended, `desktop: ${name} ended with status 137`);
      assert.deepEqual(
        inside.filter((each) => existsSync(`/proc/${each.pid}`)),
        [],
      );
      await assert.rejects(desktop.check(), DesktopError);
    });
  }

  test('processes that ignore the signal to end are killed', async () => {
    const desktop = await Desktop.start(newFolder(), { session: 'trap "" TERM; while :; do sleep 1; done' }, host);
    const inside = descendants(desktop.pid);
    await desktop.stop(200);
    assert.deepEqual(
      inside.filter((each) => existsSync(`/proc/${each.pid}`)),
      [],
    );
  });

  test('a session that cannot start is told with its last words', async () => {
    await assert.rejects(
      async () => {
        const desktop = await Desktop.start(newFolder(), { session: 'echo no such luck; exit 3' }, host);
        throw new DesktopError(await desktop.ended);
      },
      (error: Error) => error instanceof DesktopError && /session ended with status 3/.test(error.message),
    );
  });

  test('a sandbox that cannot be made is told with the reason', async () => {
    const path = newFolder();
    await assert.rejects(
      Desktop.start(path, {}, { ...host, hidden: ['/usr/bin'] }),
      /bwrap: execvp bash: No such file/,
    );
    assert.equal(Desktop.adopt(path), null);
  });

  test('one that an earlier Lucid started is adopted; a stale or strange state is not', async () => {
    const desktop = await Desktop.start(newFolder(), {}, host);
    const adopted = Desktop.adopt(desktop.folder.path);
    assert.ok(adopted);
    await adopted.check();
    const state = desktop.folder.readState()!;
    desktop.folder.writeState({ ...state, process: { ...state.process, started: '1' } });
    assert.equal(Desktop.adopt(desktop.folder.path), null);
    desktop.folder.writeState(state);
    await Desktop.clean(desktop.folder.path);
    await Promise.all([desktop.ended, adopted.ended]);
    assert.ok(!existsSync(`/proc/${desktop.pid}`));
  });

  test('a wrong option is refused by name', async () => {
    const wrong = [
      [{ width: 10 }, /^width is 10, wanted a whole number from 200 to 8192/],
      [{ depth: 8 as 16 }, /^depth is 8, wanted one of 16, 24/],
      [{ session: 'a\0b' }, /^session: /],
      [{ xrdp: { port: 'tcp://0.0.0.0:3389' } }, /^xrdp.port: not settable/],
      [{ xrdp: { max_bpp: '16\n[desktop]' } }, /^xrdp.max_bpp is /],
    ] as const;
    for (const [options, message] of wrong) {
      await assert.rejects(Desktop.start(newFolder(), options, host), (error: Error) => {
        assert.ok(error instanceof DesktopError);
        assert.match(error.message, message);
        return true;
      });
    }
  });
});

describe('a desktop without a sandbox', { skip }, () => {
  for (const backend of ['vnc', 'xorg'] satisfies Backend[]) {
    test(`${backend}: starts, answers and stops`, async () => {
      const desktop = await Desktop.start(newFolder(), { backend }, { ...host, sandbox: 'none' });
      const inside = descendants(desktop.pid);
      await desktop.check();
      await desktop.stop();
      // The terminal's shell has a session of its own, and ends when it hears that the terminal is gone.
      for (let i = 0; inside.some((each) => identify(each.pid)); i++) {
        assert.ok(i < 40, 'processes are left');
        await sleep(50);
      }
    });
  }
});
