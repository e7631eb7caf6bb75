import { UUID_PATTERN } from '#contract/common.ts';
import { ServiceError } from '#contract/errors.ts';
import type { User } from '#contract/session-api.ts';
import { allPages } from './all-pages.ts';
import type { Api } from './api.ts';

/** Every user, by name. */
export function allUsers(api: Api): Promise<User[]> {
  return allPages((query) => api.listUsers({ query }));
}

/** @throws ServiceError `not_found` */
export async function findUser(api: Api, nameOrId: string): Promise<User> {
  if (new RegExp(UUID_PATTERN).test(nameOrId)) return api.getUser({ params: { id: nameOrId } });
  const found = (await allUsers(api)).find((user) => user.name === nameOrId);
  if (found) return found;
  throw new ServiceError('not_found', `there is no user ${nameOrId}; ./lucid user list tells who there is`);
}
