/** Live sessions on a server of its own, each of which is shown something every second. Arguments: API's port, token, how many. */
import { createApiClient } from '#contract/api-client.ts';
import { ClientLink } from '#demo/client-link.ts';
import { serveBench } from './bench-child.ts';
import { startStampServer } from './stamp-server.ts';

const TOUCH_MS = 1000;
const [port, token, count] = process.argv.slice(2);
const api = createApiClient({ url: `http://127.0.0.1:${port}`, token });
const server = await startStampServer();
const spec = { kind: 'external' as const, host: '127.0.0.1', port: server.port, user: 'bench' };
await api.createServer({ body: { name: 'bench', spec, password: 'bench' } });

const links: ClientLink[] = [];
const ids: string[] = [];

/** Creates a session and connects to it. @throws Error when the connection ends before the share is open */
async function open(): Promise<void> {
  const { session, gateway, ticket_id, secret } = await api.createSession({
    body: { server: 'bench', policy: { input: true }, labels: { bench: 'api' } },
  });
  const active = Promise.withResolvers<void>();
  const link = new ClientLink(
    {
      to: { host: gateway.host, port: gateway.port },
      pin: gateway.certificate_sha256,
      userName: ticket_id,
      password: secret,
      channels: [],
    },
    {
      shown() {},
      data() {},
      channel() {},
      changed: () => link.isActive && active.resolve(),
      ended: (reason) => active.reject(reason),
    },
  );
  await active.promise;
  links.push(link);
  ids.push(session.id);
}

for (let i = 0; i < Number(count); i++) await open();
let stamp = 0;
const touching = setInterval(() => server.stamp(stamp++), TOUCH_MS);

serveBench({ ids }, () => 0, {
  async stop() {
    clearInterval(touching);
    for (const link of links) link.close();
    await server.close();
  },
});
