import type { servers as routes } from '#contract/api/servers.ts';
import type { HandlersOf, Parts } from './parts.ts';

export function serverHandlers({ peers }: Parts): HandlersOf<typeof routes> {
  const manager = peers['rdp-server-manager'];
  return {
    createServer: ({ body }) => manager.createServer({ body }),
    listServers: ({ query }) => manager.listServers({ query }),
    getServer: ({ params }) => manager.getServer({ params }),
    updateServer: ({ params, body }) => manager.updateServer({ params, body }),
    deleteServer: ({ params }) => manager.deleteServer({ params }),
    startServer: ({ params }) => manager.startServer({ params, body: {} }),
    stopServer: ({ params }) => manager.stopServer({ params, body: {} }),
    restartServer: ({ params }) => manager.restartServer({ params, body: {} }),
  };
}
