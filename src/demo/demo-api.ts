/** What the demo asks of Lucid's API; each step says what came of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient } from '#contract/contract.ts';
import { allItems } from '#contract/pages.ts';
import { type SessionTicket, sessionApi } from '#contract/session-api.ts';
import type { DemoDesktop } from './demo-desktop.ts';
import { type DemoStepWork, kilobytes } from './demo-step.ts';

export type Api = Client<typeof sessionApi>;

/** Who logs on at the demo desktop: known to the gateway alone. */
export const desktopUser = { userName: 'demo', password: 'only the gateway knows this' };
const policy = { input: true, clipboard_to_server: true, clipboard_to_client: true };
const closingMs = 30_000;
const pollMs = 50;

/** The API as the admin. */
export async function logIn(url: string, adminPassword: string): Promise<Api> {
  const { token } = await apiAt(url).logIn({ body: { name: 'admin', password: adminPassword } });
  return apiAt(url, token);
}

function apiAt(url: string, token?: string): Api {
  return createClient(sessionApi, async ({ method, path, body, contentType }) => {
    const headers = {
      // a connection kept alive would hold up the stop
      connection: 'close',
      ...(contentType && { 'content-type': contentType }),
      ...(token && { authorization: `Bearer ${token}` }),
    };
    const response = await fetch(url + path, { method, headers, ...(body !== undefined && { body: body as string }) });
    return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
  });
}

/** Registers the desktop and creates a session on it. */
export async function createTicket(api: Api, desktop: DemoDesktop): Promise<DemoStepWork<SessionTicket>> {
  const spec = {
    kind: 'external' as const,
    host: '127.0.0.1',
    port: desktop.port,
    user: desktopUser.userName,
    certificate_sha256: desktop.fingerprint,
  };
  await api.createServer({ body: { name: 'demo', spec, password: desktopUser.password } });
  const ticket = await api.createSession({ body: { server: 'demo', policy } });
  return { value: ticket, result: 'single use, for 60 s; input and clipboard allowed' };
}

/** Ends the session and waits until its recording is closed. */
export async function waitForClose(api: Api, id: string): Promise<DemoStepWork<null>> {
  const params = { id };
  await api.stopSession({ params, body: { reason: 'the demo is over' } });
  const deadline = performance.now() + closingMs;
  for (;;) {
    const { state, reason } = await api.getSession({ params });
    if (state === 'completed') break;
    if (state === 'failed') throw new Error(`the session failed: ${reason}`);
    if (performance.now() > deadline) throw new Error(`the session is still ${state} after ${closingMs / 1000} s`);
    await sleep(pollMs);
  }
  const items = await allItems((query) => api.listChunks({ params, query }));
  const bytes = items.reduce((sum, chunk) => sum + chunk.bytes, 0);
  return { value: null, result: `${items.length} chunks, ${kilobytes(bytes)}, encrypted to the auditor` };
}
