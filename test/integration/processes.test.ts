/** Each service as a process of its own, as containers run them: health that is true, and a session through all of them. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { SERVICE_NAMES, type ServiceName } from '#contract/services.ts';
import { runDemo } from '#demo/demo.ts';
import type { HealthReport } from '#platform/health.ts';
import { Processes } from '../support/processes.ts';

/** Who says so when a service is gone. */
const DEPENDENTS: Partial<Record<ServiceName, ServiceName[]>> = {
  'session-pipeline': ['session-api', 'rdp-controller'],
  'session-recorder': ['session-pipeline', 'rdp-xrdp'],
  'chunk-processor': ['session-recorder'],
  'session-storage': ['session-recorder', 'session-api'],
  'rdp-server-manager': ['session-api', 'rdp-controller'],
  'rdp-controller': ['rdp-xrdp'],
  'rdp-xrdp': ['session-api', 'rdp-controller'],
};

describe('ten processes', { concurrency: false, timeout: 400_000 }, () => {
  let processes: Processes;
  before(async () => {
    processes = await Processes.start();
  });
  after(() => processes?.close());

  const findsPeers = ({ checks }: HealthReport) =>
    SERVICE_NAMES.every((name) => (checks[name]?.status ?? 'healthy') === 'healthy');

  test('started together, all become healthy', async () => {
    for (const name of SERVICE_NAMES) {
      // How busy this machine is belongs to rdp-monitor's health, and is not ours to want.
      const isHealthy = ({ checks: { node: _load, ...checks } }: HealthReport) =>
        Object.values(checks).every(({ status }) => status === 'healthy');
      await processes.until(name, isHealthy);
    }
  });

  test('a session passes through all of them, is sealed, verifies, and replays as it was shown', async () => {
    const result = await runDemo({
      start: async () => ({
        url: processes.url('session-api'),
        adminPassword: processes.adminPassword,
        identityFile: processes.identityFile,
        stop: async () => {},
      }),
      png: join(processes.folder, 'last-frame.png'),
      tell() {},
    });
    assert.equal(result.verified, true);
    assert.ok(result.pdus > 10 && result.input_pdus > 10);
  });

  for (const [name, dependents] of Object.entries(DEPENDENTS) as [ServiceName, ServiceName[]][]) {
    test(`without ${name} others say so, and are well again at its return`, async () => {
      await processes.stop(name);
      try {
        for (const dependent of dependents) {
          await processes.until(dependent, ({ status, checks }) => {
            return status === 'degraded' && /does not answer/.test(checks[name]?.detail ?? '');
          });
        }
        const others = SERVICE_NAMES.filter((other) => other !== name && !dependents.includes(other));
        for (const other of others) assert.ok(findsPeers(await processes.health(other)), `${other} finds its peers`);
      } finally {
        processes.run(name);
      }
      for (const each of SERVICE_NAMES) await processes.until(each, findsPeers);
    });
  }

  test('a second process of the same service on the same data is refused', async () => {
    assert.match(await processes.runTwice('session-recorder'), /session-recorder is in use by another Lucid process/);
  });
});
