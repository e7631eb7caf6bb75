import { availableParallelism, hostname, totalmem } from 'node:os';
import { Gauge } from 'prom-client';
import { nodeManagement } from '#contract/node-management.ts';
import { openDatabase } from '#platform/database.ts';
import { implement } from '#platform/http/app.ts';
import { type Repetition, repeat } from '#platform/repeat.ts';
import { defineService } from '#platform/service.ts';
import { settings } from './config.ts';
import { migrations, type Tables } from './database.ts';
import { Nodes } from './nodes.ts';

/** Registers the machines that run Lucid and keeps their heartbeats. */
export const service = defineService({
  name: 'node-management',
  settings,
  async create({ settings, folder, log, registry }) {
    const database = await openDatabase<Tables>(`${folder}/nodes.sqlite`, migrations);
    const nodes = new Nodes(database, settings.LUCID_HEARTBEAT_SECONDS);
    const name = settings.LUCID_NODE_NAME || hostname();
    const capacity = { cores: availableParallelism(), memory_bytes: totalmem() };
    let beating: Repetition | undefined;

    new Gauge({
      name: 'lucid_nodes',
      help: 'Nodes, by state',
      labelNames: ['state'],
      registers: [registry],
      async collect() {
        this.reset();
        for (const { state } of await nodes.list()) this.inc({ state });
      },
    });

    async function beat(): Promise<void> {
      await nodes.beat(name, capacity);
      for (const node of await nodes.failSilent()) log.warn({ node }, 'a node is not heard of any more');
    }

    return {
      handlers: implement(nodeManagement, {
        listNodes: async () => ({ items: await nodes.list() }),
      }),
      checks: {
        database: async () => {
          await nodes.list();
          return { status: 'healthy' };
        },
        nodes: async () => {
          const failed = (await nodes.list()).filter((node) => node.state === 'failed').map((node) => node.name);
          if (failed.length === 0) return { status: 'healthy' };
          return { status: 'degraded', detail: `not heard of any more: ${failed.join(', ')}` };
        },
      },
      async start() {
        await beat();
        const onError = (error: unknown) => log.error({ err: error }, 'heartbeat failed');
        beating = repeat(beat, settings.LUCID_HEARTBEAT_SECONDS * 1000, onError);
      },
      async stop() {
        await beating?.stop();
        await nodes.leave(name);
        await database.destroy();
      },
    };
  },
});
