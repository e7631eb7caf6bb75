import { join } from 'node:path';
import type { Client } from '#contract/contract.ts';
import { SERVICE_NAMES } from '#contract/services.ts';
import type { sessionApi } from '#contract/session-api.ts';
import { Background } from './child.ts';
import { eventually } from './eventually.ts';
import { apiAt } from './lucid.ts';

const LUCID = new URL('../../lucid', import.meta.url).pathname;
const ADMIN_PASSWORD = 'a password for tests';

/** `lucid up` as a program of its own, on free ports: something that can be killed. */
export interface LucidProgram {
  readonly program: Background;
  /** Of the public API. */
  readonly url: string;
  /** As its admin. */
  readonly api: Client<typeof sessionApi>;
}

export interface LucidProgramOptions {
  /** Settings, beside those that give it free ports. */
  readonly settings?: Record<string, string>;
  /** What goes before it on the command line: a tracer, a launcher with another clock. */
  readonly prefix?: readonly string[];
  /** Told of the program at once, so that it can be ended whatever happens. */
  readonly onStart?: (program: Background) => void;
}

/**
 * Starts `lucid up` on the folder `data` within `folder`, and logs in.
 *
 * @throws Error with what it says when it does not come up
 */
export async function startLucidProgram(folder: string, options: LucidProgramOptions = {}): Promise<LucidProgram> {
  const ports = SERVICE_NAMES.map((name) => {
    const setting = name === 'rdp-xrdp' ? 'RDP_XRDP_API' : name.toUpperCase().replaceAll('-', '_');
    return [`LUCID_${setting}_PORT`, '0'];
  });
  const [command, ...args] = [...(options.prefix ?? []), LUCID, 'up', '--data', join(folder, 'data')];
  const program = new Background(command, args, {
    PATH: process.env.PATH,
    HOME: folder,
    ...Object.fromEntries(ports),
    LUCID_RDP_XRDP_PORT: '0',
    LUCID_RDP_XRDP_HOST: '127.0.0.1',
    LUCID_SESSION_API_HOST: '127.0.0.1',
    LUCID_ADMIN_PASSWORD: ADMIN_PASSWORD,
    LUCID_IDENTITY_FILE: join(folder, 'auditor.txt'),
    LOG_LEVEL: process.env.TEST_LOG ?? 'fatal',
    ...options.settings,
  });
  options.onStart?.(program);
  try {
    const url = await eventually('lucid up says where its API is', () => {
      program.requireRunning();
      return /API +(http:\S+)/.exec(program.output)?.[1];
    });
    const { token } = await apiAt(url).logIn({ body: { name: 'admin', password: ADMIN_PASSWORD } });
    return { program, url, api: apiAt(url, token) };
  } catch (error) {
    await program.close('SIGKILL');
    throw error;
  }
}
