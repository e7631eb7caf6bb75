import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '#contract/contract.ts';
import { SERVICE_NAMES, type ServiceName } from '#contract/services.ts';
import type { sessionApi } from '#contract/session-api.ts';
import { formatIdentity, generateIdentity } from '#evidence/node/age-keys.ts';
import type { HealthReport } from '#platform/health.ts';
import { freePort } from '../../bench/support/free-port.ts';
import { Background } from './child.ts';
import { PATIENCE_MS } from './eventually.ts';
import { apiAt } from './lucid.ts';

const LUCID = new URL('../../lucid', import.meta.url).pathname;

/** Ten services as ten processes, as containers run them: `lucid serve`, mutual TLS between them. */
export class Processes {
  readonly folder = mkdtempSync(join(tmpdir(), 'lucid-processes-'));
  readonly adminPassword = 'a password for ten processes';
  readonly identityFile = join(this.folder, 'auditor.txt');
  readonly #environments: Record<ServiceName, NodeJS.ProcessEnv>;
  readonly #urls: Record<ServiceName, string>;
  readonly #running = new Map<ServiceName, Background>();

  private constructor(ports: Record<ServiceName, number>, rdpPort: number, settings: Record<string, string>) {
    const auditor = generateIdentity();
    writeFileSync(this.identityFile, `${formatIdentity(auditor)}\n`, { mode: 0o600 });
    const setting = (name: ServiceName) => `LUCID_${name.toUpperCase().replaceAll('-', '_')}`;
    const urls = SERVICE_NAMES.map((name) => [`${setting(name)}_URL`, `https://127.0.0.1:${ports[name]}`]);
    const common = {
      PATH: process.env.PATH,
      HOST: '127.0.0.1',
      LOG_LEVEL: process.env.TEST_LOG ?? 'fatal',
      ...Object.fromEntries(urls),
      ...settings,
    };
    const own: Partial<Record<ServiceName, NodeJS.ProcessEnv>> = {
      'rdp-xrdp': { PORT: String(rdpPort), LUCID_RDP_XRDP_API_PORT: String(ports['rdp-xrdp']) },
      'session-api': { LUCID_ADMIN_PASSWORD: this.adminPassword },
      'session-recorder': { LUCID_RECIPIENTS: auditor.recipient, LUCID_RECOVERY_RECIPIENT: auditor.recipient },
    };
    const environments = SERVICE_NAMES.map((name) => [
      name,
      { ...common, SERVICE_NAME: name, PORT: String(ports[name]), ...own[name] },
    ]);
    this.#environments = Object.fromEntries(environments);
    const faces = SERVICE_NAMES.map((name) => [name, `http://127.0.0.1:${ports[name]}`]);
    this.#urls = Object.fromEntries(faces) as Record<ServiceName, string>;
  }

  /**
   * Starts all ten at the same time, each to find the others when they come.
   * @param settings of all of them
   */
  static async start(settings: Record<string, string> = {}): Promise<Processes> {
    const ports = await Promise.all([...SERVICE_NAMES, 'rdp'].map(async (name) => [name, await freePort()] as const));
    const byName = Object.fromEntries(ports);
    const processes = new Processes(byName as Record<ServiceName, number>, byName.rdp, settings);
    for (const name of SERVICE_NAMES) processes.run(name);
    return processes;
  }

  /** Runs one of them, stopped before or not yet started. */
  run(name: ServiceName): void {
    this.#running.set(name, this.#spawn(name));
  }

  /** Tries to run one that runs already. @returns what it says; @throws Error when it does not end with a failure */
  async runTwice(name: ServiceName): Promise<string> {
    const second = this.#spawn(name);
    const late = setTimeout(() => second.close(), PATIENCE_MS);
    const status = await second.ended();
    clearTimeout(late);
    if (status !== 1) throw new Error(`a second ${name} ended with ${status}: ${second.output}`);
    return second.output;
  }

  #spawn(name: ServiceName): Background {
    return new Background(LUCID, ['serve', '--data', join(this.folder, 'data')], this.#environments[name]);
  }

  /** @param signal as a shutdown is asked for, or SIGKILL: as if the machine had gone */
  async stop(name: ServiceName, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.#running.get(name)!.close(signal);
  }

  /** Sends a signal to a service's process, which may go on after it. */
  signal(name: ServiceName, signal: NodeJS.Signals): void {
    this.#running.get(name)!.child.kill(signal);
  }

  /** The public API, as its admin, once who is needed for sessions is there. */
  async logIn(): Promise<Client<typeof sessionApi>> {
    for (const name of ['session-api', 'rdp-controller', 'session-pipeline', 'session-recorder'] as const) {
      await this.until(name, ({ status }) => status === 'healthy');
    }
    const url = this.url('session-api');
    const { token } = await apiAt(url).logIn({ body: { name: 'admin', password: this.adminPassword } });
    return apiAt(url, token);
  }

  url(name: ServiceName): string {
    return this.#urls[name];
  }

  /** What a service says of itself. @throws when it does not answer */
  async health(name: ServiceName): Promise<HealthReport & { code: number }> {
    const response = await fetch(`${this.#urls[name]}/health`, { headers: { connection: 'close' } });
    return { code: response.status, ...((await response.json()) as HealthReport) };
  }

  /** Waits until what a service says of itself is as wanted. @throws Error with what it says instead */
  async until(name: ServiceName, wanted: (report: HealthReport) => boolean): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      this.#running.get(name)!.requireRunning();
      const report = await this.health(name).catch((error: Error) => error);
      if (!(report instanceof Error) && wanted(report)) return;
      const said = report instanceof Error ? report.message : JSON.stringify(report);
      if (Date.now() > deadline) throw new Error(`${name} is not as wanted after ${PATIENCE_MS / 1000} s: ${said}`);
      await sleep(100);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.stop(name)));
    rmSync(this.folder, { recursive: true, force: true });
  }
}
