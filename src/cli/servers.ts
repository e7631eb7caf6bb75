import { UUID_PATTERN } from '#contract/common.ts';
import { ServiceError } from '#contract/errors.ts';
import type { Server } from '#contract/rdp-server-manager.ts';
import { allPages } from './all-pages.ts';
import type { Api } from './api.ts';

/** Every server, by name. */
export function allServers(api: Api): Promise<Server[]> {
  return allPages((query) => api.listServers({ query }));
}

/** A server's name; of one that is gone, its id. */
export async function serverName(api: Api, id: string): Promise<string> {
  return (await allServers(api)).find((server) => server.id === id)?.name ?? id;
}

/** @throws ServiceError `not_found`, naming the servers there are */
export async function findServer(api: Api, idOrName: string): Promise<Server> {
  if (new RegExp(UUID_PATTERN).test(idOrName)) return api.getServer({ params: { id: idOrName } });
  const servers = await allServers(api);
  const found = servers.find((server) => server.name === idOrName);
  if (found) return found;
  const names = servers.map((server) => server.name).join(', ');
  throw new ServiceError(
    'not_found',
    `there is no server ${idOrName}; there ${names ? `are: ${names}` : 'are none yet'}`,
  );
}
