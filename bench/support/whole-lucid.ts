/** All ten services, as `lucid up` runs them. Arguments: target port, then settings as NAME=VALUE. */
import { TestLucid } from '../../test/support/lucid.ts';
import { serveBench } from './bench-child.ts';

const [target, ...settings] = process.argv.slice(2);
const lucid = await TestLucid.start(Object.fromEntries(settings.map((setting) => setting.split('='))));
const spec = { kind: 'external' as const, host: '127.0.0.1', port: Number(target), user: 'bench' };
await lucid.api.createServer({ body: { name: 'bench', spec, password: 'bench' } });
let session = '';

serveBench({ port: lucid.running.rdpPort }, () => 0, {
  async ticket() {
    const ticket = await lucid.createSession('bench', { input: true });
    session = ticket.session.id;
    return { user: ticket.ticket_id, password: ticket.secret };
  },
  /** Ends the session and waits until all of it is sealed and stored. */
  async finish() {
    await lucid.api.stopSession({ params: { id: session }, body: {} }).catch(() => {});
    await lucid.until(session, 'completed');
  },
  stop: () => lucid.close(),
});
