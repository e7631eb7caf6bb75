/** All ten services, as `lucid up` runs them, for many sessions at a time and as many calls as they can answer. */
import { TestLucid } from '../../test/support/lucid.ts';
import { serveBench } from './bench-child.ts';

const MANY = '100000';
const lucid = await TestLucid.start({
  LUCID_READS_PER_MINUTE: '1000000',
  LUCID_CREATES_PER_MINUTE: MANY,
  LUCID_MAX_CONNECTIONS: '1000',
  LUCID_MAX_CONNECTIONS_PER_USER: '1000',
  LUCID_MAX_CONNECTIONS_PER_SERVER: '1000',
  LUCID_MAX_CONNECTIONS_PER_ADDRESS: '1000',
});
const { token } = await lucid.api.logIn({
  body: { name: 'admin', password: lucid.running.firstStart!.adminPassword },
});

serveBench({ port: lucid.running.ports['session-api'], token }, () => 0, { stop: () => lucid.close() });
