import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import type { SessionTicket } from '#contract/session-api.ts';
import { parseIdentityFile } from '#evidence/node/age-keys.ts';
import { openBundleSource } from '#evidence/node/bundle-source.ts';
import { sha256 } from '#evidence/node/hash.ts';
import { verifyBundle } from '#evidence/node/verify.ts';
import type { VerifyReport } from '#evidence/node/verify-report.ts';
import { parseVerifierKey } from '#evidence/note.ts';
import { writePng } from '#rdp/graphics/png.ts';
import type { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';
import { type Api, createTicket, desktopUser, logIn, waitForClose } from './demo-api.ts';
import { DemoDesktop } from './demo-desktop.ts';
import { dragShape, leave, typeText, useClipboard } from './demo-person.ts';
import { type DemoStepWork, kilobytes } from './demo-step.ts';
import { HeadlessClient } from './headless-client.ts';
import { readRdpFile } from './rdp-file.ts';
import { player, replayBeside } from './replay-check.ts';

/** A running Lucid, as the demo needs it. */
export interface DemoLucid {
  /** Of the API, such as `http://127.0.0.1:8087`. */
  url: string;
  adminPassword: string;
  /** File of the auditor's age identity. */
  identityFile: string;
  stop(): Promise<void>;
}

export interface DemoOptions {
  /** Starts Lucid on free ports in an empty folder. */
  start(folder: string): Promise<DemoLucid>;
  /** Where to write the last frame. */
  png: string;
  /** Told of each step as it is done. */
  tell(step: DemoStep): void;
}

export interface DemoStep {
  name: string;
  /** What came of it. */
  result: string;
  milliseconds: number;
}

export interface DemoResult {
  verified: true;
  session: string;
  steps: DemoStep[];
  /** Bytes of server PDUs that the client was shown. */
  shown_bytes: number;
  /** Bytes of the bundle: what is stored of it, with all that it takes to verify. */
  bundle_bytes: number;
  pdus: number;
  input_pdus: number;
  /** SHA-256 of the last frame's pixels, the same on the client and in the replay. */
  pixels_sha256: string;
  png: string;
}

const size = { width: 1024, height: 640 };

/**
 * Proves the product: a desktop, a gateway, a client, a session that is typed, dragged and copied in, then sealed,
 * verified and replayed, and compared with what the client was shown.
 *
 * @throws Error at the first thing that is not as promised
 */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const folder = mkdtempSync(join(tmpdir(), 'lucid-demo-'));
  const demo = new Demo(folder, options);
  try {
    return await demo.run();
  } finally {
    await demo.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

class Demo {
  readonly #folder: string;
  readonly #options: DemoOptions;
  readonly #steps: DemoStep[] = [];
  /** What to end, the last first. */
  readonly #open: (() => Promise<void>)[] = [];

  constructor(folder: string, options: DemoOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  async run(): Promise<DemoResult> {
    const lucid = await this.#step('start', () => this.#start());
    const desktop = await this.#step('desktop', () => this.#startDesktop());
    const api = await logIn(lucid.url, lucid.adminPassword);
    const ticket = await this.#step('ticket', () => createTicket(api, desktop));
    const client = await this.#step('connect', () => this.#connect(ticket));
    await this.#step('type', () => typeText(client));
    await this.#step('drag', () => dragShape(client, desktop));
    await this.#step('clipboard', () => useClipboard(client));
    const hash = await this.#step('leave', () => leave(client));
    const session = ticket.session.id;
    await this.#step('seal', () => waitForClose(api, session));
    const bundle = await this.#step('bundle', () => this.#download(api, session));
    const identities = parseIdentityFile(readFileSync(lucid.identityFile, 'utf8'));
    const { verifier_key } = await api.nodeKey({});
    await this.#step('verify', async () => {
      const nodeKeys = [parseVerifierKey(sha256, verifier_key)];
      const report = finish(verifyBundle(openBundleSource(bundle.path), { nodeKeys, identities, player }));
      return { value: report, result: describeReport(report) };
    });
    const replayed = await this.#step('replay', async () => {
      const value = replayBeside(openBundleSource(bundle.path), identities, client.shown);
      const found = pixelHash(value.screen);
      if (found !== hash) throw new Error(`the replayed pixels have SHA-256 ${found}, the client was shown ${hash}`);
      return { value, result: `${value.pdus} PDUs as shown, last frame equal in every pixel` };
    });
    writeFrame(this.#options.png, replayed.screen);
    return {
      verified: true,
      session,
      steps: this.#steps,
      shown_bytes: client.shownBytes,
      bundle_bytes: bundle.bytes,
      pdus: replayed.pdus,
      input_pdus: replayed.inputPdus,
      pixels_sha256: hash,
      png: this.#options.png,
    };
  }

  async close(): Promise<void> {
    for (const end of this.#open.reverse()) await end();
  }

  /** Runs a step and tells how it went. @throws Error that names the step */
  async #step<T>(name: string, work: () => Promise<DemoStepWork<T>>): Promise<T> {
    const started = performance.now();
    try {
      const { value, result } = await work();
      const step = { name, result, milliseconds: Math.round(performance.now() - started) };
      this.#steps.push(step);
      this.#options.tell(step);
      return value;
    } catch (error) {
      throw new Error(`demo, step ${name}: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
  }

  async #start() {
    const lucid = await this.#options.start(join(this.#folder, 'data'));
    this.#open.push(() => lucid.stop());
    return { value: lucid, result: 'ten services on free ports' };
  }

  async #startDesktop() {
    const desktop = await DemoDesktop.start({ credentials: desktopUser });
    this.#open.push(() => desktop.close());
    return { value: desktop, result: `RDP server of our own on port ${desktop.port}` };
  }

  async #connect(ticket: SessionTicket) {
    const { host, port, routingToken, userName } = readRdpFile(ticket.rdp_file);
    const client = await HeadlessClient.connect({
      to: { host, port },
      pin: ticket.gateway.certificate_sha256,
      routingToken,
      userName,
      password: '',
      ...size,
    });
    this.#open.push(async () => client.abort());
    return { value: client, result: `through the gateway on port ${port}, ${size.width} x ${size.height}` };
  }

  async #download(api: Api, id: string) {
    const path = join(this.#folder, 'bundle.tar');
    await writeFile(path, await api.getBundle({ params: { id }, query: {} }));
    const { size: bytes } = statSync(path);
    const source = openBundleSource(path);
    return { value: { path, bytes }, result: `${kilobytes(bytes)}, ${source.paths.length} files` };
  }
}

/** Runs a verification to its end. */
function finish(verification: Generator<unknown, VerifyReport, undefined>): VerifyReport {
  for (;;) {
    const { done, value } = verification.next();
    if (done) return value;
  }
}

/** @throws Error when anything failed, or what this Lucid promises could not be checked */
function describeReport(report: VerifyReport): string {
  const problem = report.checks.flatMap(({ problems }) => problems)[0];
  if (problem) throw new Error(`${problem.where}: ${problem.what}`);
  if (report.verdict !== 'verified') throw new Error(`the bundle is ${report.verdict}: ${report.missing.join('; ')}`);
  const passed = report.checks.filter(({ status }) => status === 'passed');
  return passed.map(({ name }) => name).join(', ');
}

function pixelHash(screen: ScreenDecoder): string {
  return Buffer.from(sha256(screen.pixels)).toString('hex');
}

function writeFrame(path: string, { width, height, pixels }: ScreenDecoder): void {
  writeFileSync(path, writePng({ width, height, pixels }, deflateSync));
}
