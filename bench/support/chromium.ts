/** Runs a portable module of this repository in headless Chromium. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
/** Debian's name, and that of others. */
const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome'];
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const STOP_MS = 10_000;

/**
 * Loads a module, which posts `{ result }` or `{ error }` as JSON to `/result`. It can ask `/cpu` for the milliseconds of CPU
 * that pages have used.
 *
 * @param module path from the repository's root, with a query for the module's own use
 * @returns the result, or null when there is no Chromium here
 * @throws Error with the module's error, or when Chromium ends before the result
 */
export async function runInChromium(module: string): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  promise.catch(() => {});
  let child: ChildProcess | null = null;
  const server = createServer((request, response) => {
    if (request.url === '/cpu') response.end(String(rendererCpuMs(child?.pid ?? 0)));
    else if (request.url === '/result') {
      takeResult(request).then(resolve, reject);
      response.end();
    } else serve(module, request.url ?? '', response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const folder = mkdtempSync(join(tmpdir(), 'lucid-chromium-'));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    child = await start([...FLAGS, `--user-data-dir=${folder}`, url]);
    return child && (await resultOf(child, promise));
  } finally {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** What the page posts; the browser is ended then. @throws Error when it ends before */
async function resultOf(child: ChildProcess, posted: Promise<unknown>): Promise<unknown> {
  let output = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-4096);
  });
  const ended = once(child, 'exit');
  const early = ended.then(() => {
    throw new Error(`Chromium ended: ${output}`);
  });
  early.catch(() => {});
  try {
    return await Promise.race([posted, early]);
  } finally {
    child.kill();
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(late);
  }
}

async function takeResult(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const { result, error } = JSON.parse(Buffer.concat(parts).toString('utf8'));
  if (error !== undefined) throw new Error(`in Chromium: ${error}`);
  return result;
}

/** Milliseconds of CPU that the renderers among a browser's processes have used, by Linux' own account. */
function rendererCpuMs(browser: number): number {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) && /^PPid:\s+(\d+)/m.exec(read(`/proc/${name}/status`))?.[1];
    if (parent) parents.set(Number(name), Number(parent));
  }
  const isOurs = (pid: number): boolean => pid === browser || (parents.has(pid) && isOurs(parents.get(pid)!));
  const renderers = [...parents.keys()].filter(
    (pid) => isOurs(pid) && read(`/proc/${pid}/cmdline`).includes('--type=renderer'),
  );
  const threads = renderers.flatMap((pid) => readdirSync(`/proc/${pid}/task`).map((id) => `/proc/${pid}/task/${id}`));
  return threads.reduce((sum, thread) => sum + Number(read(`${thread}/schedstat`).split(' ')[0]) / 1e6, 0);
}

/** A file's text; of a process that has gone meanwhile, none. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The first program of that kind that is installed, or null. */
async function start(args: string[]): Promise<ChildProcess | null> {
  for (const program of PROGRAMS) {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const started = await Promise.race([once(child, 'spawn').then(() => true), once(child, 'error').then(() => false)]);
    if (started) return child;
  }
  return null;
}

/** Answers with the page, or with a module without its types. */
function serve(module: string, url: string, response: ServerResponse): void {
  const { pathname } = new URL(url, 'http://localhost');
  if (pathname === '/') {
    const imports = JSON.stringify({ imports: { '#rdp/': '/src/rdp/' } });
    const page = `<!doctype html><script type="importmap">${imports}</script><script type="module" src="/${module}"></script>`;
    response.setHeader('content-type', 'text/html').end(page);
  } else if (/^\/(src\/rdp|bench\/support)\/[a-z0-9/-]+\.ts$/.test(pathname)) {
    const source = readFileSync(join(ROOT, pathname), 'utf8');
    response.setHeader('content-type', 'text/javascript').end(stripTypeScriptTypes(source));
  } else {
    response.writeHead(404).end();
  }
}
