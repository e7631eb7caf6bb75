import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Static } from 'typebox';
import type { Policy } from '#contract/common.ts';
import { type Client, createClient } from '#contract/contract.ts';
import type { HostedSpec, Server } from '#contract/rdp-server-manager.ts';
import { SERVICE_NAMES } from '#contract/services.ts';
import { type SessionTicket, sessionApi } from '#contract/session-api.ts';
import type { Session, SessionState } from '#contract/session-pipeline.ts';
import { type RunningLucid, startAll } from '#run/index.ts';
import { DesktopFolder } from '#services/rdp-server-manager/desktop/folder.ts';
import { Display } from './display.ts';
import { eventually } from './eventually.ts';

type Spec = Static<typeof HostedSpec>;
type TestPolicy = Static<typeof Policy>;

const run = promisify(execFile);
const ROOT = new URL('../..', import.meta.url).pathname;

/** All of Lucid on free ports and a temporary folder, with its API as an admin. */
export class TestLucid {
  readonly running: RunningLucid;
  readonly api: Client<typeof sessionApi>;
  readonly folder: string;
  readonly #token: string;

  private constructor(running: RunningLucid, api: Client<typeof sessionApi>, folder: string, token: string) {
    this.running = running;
    this.api = api;
    this.folder = folder;
    this.#token = token;
  }

  /** @param settings of Lucid, beside those that give it free ports */
  static async start(settings: Record<string, string> = {}): Promise<TestLucid> {
    const folder = mkdtempSync(join(tmpdir(), 'lucid-e2e-'));
    const ports = SERVICE_NAMES.map((name) => {
      const setting = name === 'rdp-xrdp' ? 'RDP_XRDP_API' : name.toUpperCase().replaceAll('-', '_');
      return [`LUCID_${setting}_PORT`, '0'];
    });
    const running = await startAll({
      data: join(folder, 'data'),
      env: {
        ...Object.fromEntries(ports),
        LUCID_RDP_XRDP_PORT: '0',
        LUCID_SESSION_API_HOST: '127.0.0.1',
        LUCID_IDENTITY_FILE: join(folder, 'auditor.txt'),
        LUCID_DESKTOP_EXPOSE_DISPLAY: 'true',
        LOG_LEVEL: process.env.TEST_LOG ?? 'fatal',
        ...settings,
      },
    });
    const url = `http://127.0.0.1:${running.ports['session-api']}`;
    try {
      const { token } = await apiAt(url).logIn({
        body: { name: 'admin', password: running.firstStart!.adminPassword },
      });
      return new TestLucid(running, apiAt(url, token), folder, token);
    } catch (error) {
      await running.stop();
      throw error;
    }
  }

  get identityFile(): string {
    return join(this.folder, 'auditor.txt');
  }

  /** A hosted desktop that runs. */
  async createDesktop(name: string, spec: Partial<Spec> = {}): Promise<Server> {
    const { id } = await this.api.createServer({ body: { name, spec: { kind: 'hosted', ...spec } } });
    return this.api.startServer({ params: { id } });
  }

  /** The X display of a hosted desktop, as it is without any RDP. */
  displayOf(serverId: string): Display {
    const folder = new DesktopFolder(join(this.folder, 'data', 'rdp-server-manager', 'desktops', serverId));
    return Display.ofSocket(join(folder.displays, `X${folder.readState()!.display.slice(1)}`));
  }

  async createSession(server: string, policy: TestPolicy, ticketSeconds = 60): Promise<SessionTicket> {
    return this.api.createSession({ body: { server, policy, ticket_seconds: ticketSeconds } });
  }

  /** Waits for a state of a session. @throws Error with the session's history when it does not come */
  async until(id: string, ...states: SessionState[]): Promise<Session> {
    const probe = async () => {
      const session = await this.api.getSession({ params: { id } });
      return states.includes(session.state) && session;
    };
    return eventually(`session ${id} ${states.join(' or ')}`, probe).catch(async (error) => {
      const { items } = await this.api.getSessionHistory({ params: { id } });
      throw new Error(`${error.message}: ${JSON.stringify(items)}`, { cause: error });
    });
  }

  /** Ends a session, waits for its recording to be closed, and downloads its bundle with `lucid`. @returns the folder */
  async bundleOf(id: string): Promise<string> {
    const { state } = await this.api.getSession({ params: { id } });
    if (state !== 'completed') await this.api.stopSession({ params: { id }, body: {} });
    await this.until(id, 'completed');
    const bundle = join(this.folder, `bundle-${id}`);
    await this.lucid('session', 'download', id, '--unpack', '--output', bundle);
    return bundle;
  }

  /** Runs Lucid's command line, logged in as the admin. @returns its standard output; @throws Error when it fails */
  lucid(...args: string[]): Promise<string> {
    return this.lucidReading('', ...args);
  }

  /** The same, with something on its standard input. */
  lucidReading(input: string, ...args: string[]): Promise<string> {
    return this.lucidAs(this.#token, input, ...args);
  }

  /** The same, as whoever has the token. */
  async lucidAs(token: string, input: string, ...args: string[]): Promise<string> {
    const env = {
      ...process.env,
      LUCID_URL: `http://127.0.0.1:${this.running.ports['session-api']}`,
      LUCID_TOKEN: token,
    };
    try {
      const running = run(join(ROOT, 'lucid'), args, { env, maxBuffer: 64 << 20 });
      running.child.stdin!.end(input);
      return (await running).stdout;
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      throw new Error(`lucid ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
    }
  }

  async close(): Promise<void> {
    await this.running.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function apiAt(url: string, token?: string): Client<typeof sessionApi> {
  return createClient(sessionApi, async ({ method, path, body, contentType }) => {
    const headers = {
      // A connection kept for more may be closed by the other end just as it is used again.
      connection: 'close',
      ...(contentType && { 'content-type': contentType }),
      ...(token && { authorization: `Bearer ${token}` }),
    };
    const response = await fetch(url + path, { method, headers, ...(body !== undefined && { body: body as string }) });
    return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
  });
}
