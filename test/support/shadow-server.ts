import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Background } from './child.ts';
import { Display } from './display.ts';
import { eventually } from './eventually.ts';

/** FreeRDP's server on a screen of its own, with an xterm that shows a listing and lies still. */
export class ShadowServer {
  readonly display: Display;
  /** UNIX socket that it listens on. */
  readonly socketPath: string;
  readonly #home: string;
  readonly #programs: Background[];

  private constructor(display: Display, home: string, socketPath: string, programs: Background[]) {
    this.display = display;
    this.#home = home;
    this.socketPath = socketPath;
    this.#programs = programs;
  }

  static async start(width: number, height: number): Promise<ShadowServer> {
    const display = await Display.create(width, height);
    const home = mkdtempSync(join(tmpdir(), 'lucid-shadow-'));
    chmodSync(home, 0o700);
    const env = { ...process.env, DISPLAY: display.name, HOME: home };
    // Hidden, since it would blink
    const show = 'printf "\\033[?25l"; ls -la /usr; exec sleep infinity';
    const xterm = new Background('xterm', ['-geometry', '60x14+20+20', '-e', 'sh', '-c', show], env);
    await display.findWindow('xterm');
    await display.quietScreenshot();
    const socketPath = join(home, 'rdp.sock');
    const server = new Background(
      'freerdp-shadow-cli',
      [`/ipc-socket:${socketPath}`, '-sec-nla', '-sec-rdp', '-auth'],
      env,
    );
    const shadow = new ShadowServer(display, home, socketPath, [server, xterm]);
    await eventually('the socket of freerdp-shadow-cli', () => {
      server.requireRunning();
      return existsSync(socketPath);
    }).catch(async (error) => {
      await shadow.close();
      throw error;
    });
    return shadow;
  }

  async close(): Promise<void> {
    for (const program of this.#programs) await program.close();
    await this.display.close();
    rmSync(this.#home, { recursive: true, force: true });
  }
}
