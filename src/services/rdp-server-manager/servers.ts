import { ServiceError } from '#contract/errors.ts';
import type { Server, ServerTarget } from '#contract/rdp-server-manager.ts';
import { newId } from '#platform/id.ts';
import { certificateOf, type ServerStore, type StoredServer, toServer } from './server-store.ts';
import { checkSpec, type Spec } from './specs.ts';
import type { Supervisor } from './supervisor.ts';
import { requireTransition } from './transitions.ts';
import type { Vault } from './vault.ts';

/** xrdp asks for some user, and lets everybody in: who may come in is Lucid's to say. */
const HOSTED_USER = 'desktop';

/** What callers may do with servers. */
export class Servers {
  readonly #store: ServerStore;
  readonly #vault: Vault;
  readonly #supervisor: Supervisor;
  readonly #limit: number;

  /** @param limit servers that may be registered */
  constructor(store: ServerStore, vault: Vault, supervisor: Supervisor, limit: number) {
    this.#store = store;
    this.#vault = vault;
    this.#supervisor = supervisor;
    this.#limit = limit;
  }

  async create(given: { name: string; spec: Spec; password?: string }): Promise<Server> {
    checkSpec(given.spec);
    const id = newId();
    const server: StoredServer = {
      id,
      name: given.name,
      spec: given.spec,
      sealed_password: given.password === undefined ? null : this.#vault.seal(id, given.password),
      first_certificate_sha256: null,
      state: 'creating',
      problem: null,
      wanted: given.spec.kind === 'external',
      created_at: new Date().toISOString(),
    };
    await this.#store.insert(server, this.#limit);
    return this.#supervisor.exclusive(id, async () => {
      if (server.spec.kind === 'hosted') return toServer(await this.#store.move(server, 'stopped'));
      return toServer(await this.#supervisor.start(server));
    });
  }

  async get(id: string): Promise<Server> {
    return toServer(await this.#store.get(id));
  }

  async list(limit: number, cursor: string): Promise<{ items: Server[]; next_cursor: string | null }> {
    const items = (await this.#store.page(limit + 1, cursor)).map(toServer);
    const more = items.length > limit;
    return { items: items.slice(0, limit), next_cursor: more ? items[limit - 1].name : null };
  }

  async update(
    id: string,
    changes: { name?: string; spec?: Spec; password?: string | null; maintenance?: boolean },
  ): Promise<Server> {
    const { name, spec, password, maintenance } = changes;
    if (spec) checkSpec(spec);
    return this.#supervisor.exclusive(id, async () => {
      const server = await this.#store.get(id);
      if (spec && spec.kind !== server.spec.kind) {
        throw new ServiceError('invalid_request', `server ${server.name} is ${server.spec.kind} and stays that`);
      }
      if (spec?.kind === 'hosted' && this.#supervisor.desktop(id)) {
        throw new ServiceError('wrong_state', `server ${server.name} is ${server.state}: stop it first`);
      }
      if (maintenance === true) requireTransition(server.name, server.state, 'maintenance');
      await this.#store.change(id, {
        ...(name !== undefined && { name }),
        // Another host, another certificate: what was seen at the old one does not count.
        ...(spec && { spec, first_certificate_sha256: null }),
        ...(password !== undefined && {
          sealed_password: password === null ? null : this.#vault.seal(id, password),
        }),
      });
      let changed = await this.#store.get(id);
      if (maintenance === true) changed = await this.#store.move(changed, 'maintenance');
      if (maintenance === false && server.state === 'maintenance')
        changed = await this.#supervisor.endMaintenance(changed);
      else if (spec?.kind === 'external' && changed.state === 'running')
        changed = await this.#supervisor.greetAgain(changed);
      return toServer(changed);
    });
  }

  async remove(id: string): Promise<void> {
    await this.#supervisor.exclusive(id, async () => {
      const server = await this.#store.get(id);
      if (this.#supervisor.desktop(id)) {
        throw new ServiceError('wrong_state', `server ${server.name} is ${server.state}: stop it first`);
      }
      await this.#supervisor.remove(server);
      await this.#store.remove(id);
    });
  }

  /** @throws ServiceError `upstream_failed` with the reason when it does not come to answer */
  async start(id: string): Promise<Server> {
    return this.#supervisor.exclusive(id, () => this.#startWanted(id));
  }

  async stop(id: string): Promise<Server> {
    return this.#supervisor.exclusive(id, async () => toServer(await this.#supervisor.stop(await this.#store.get(id))));
  }

  async restart(id: string): Promise<Server> {
    return this.#supervisor.exclusive(id, async () => {
      const server = await this.#store.get(id);
      if (server.state !== 'stopped') await this.#supervisor.stop(server);
      return this.#startWanted(id);
    });
  }

  /** Where and how to connect. @throws ServiceError `unavailable` when the server is not running */
  async target(id: string): Promise<ServerTarget> {
    const server = await this.#store.get(id);
    const desktop = this.#supervisor.desktop(id);
    const { spec } = server;
    if (server.state !== 'running' || (spec.kind === 'hosted' && !desktop)) {
      const problem = server.problem === null ? '' : `: ${server.problem}`;
      const state = server.state === 'maintenance' ? 'in maintenance' : server.state;
      throw new ServiceError('unavailable', `server ${server.name} is ${state}${problem}`);
    }
    const { profiles, bulk_compression } = spec;
    const display = { ...(profiles && { profiles }), ...(bulk_compression !== undefined && { bulk_compression }) };
    if (spec.kind === 'hosted') {
      return {
        ...display,
        ...{ server_id: id, socket_path: desktop!.socketPath, host: null, port: null },
        ...{ user: HOSTED_USER, domain: '', password: HOSTED_USER, certificate_sha256: desktop!.fingerprint },
      };
    }
    const password = server.sealed_password === null ? '' : this.#vault.open(id, server.sealed_password);
    return {
      ...display,
      ...{ server_id: id, socket_path: null, host: spec.host, port: spec.port ?? 3389 },
      ...{ user: spec.user ?? '', domain: spec.domain ?? '', password, certificate_sha256: certificateOf(server) },
    };
  }

  /** @throws ServiceError `conflict` when another certificate is pinned */
  async pin(id: string, certificate: string): Promise<void> {
    await this.#supervisor.exclusive(id, async () => {
      const server = await this.#store.get(id);
      const pinned = certificateOf(server) ?? this.#supervisor.desktop(id)?.fingerprint;
      if (pinned !== undefined && pinned !== certificate) {
        throw new ServiceError('conflict', `server ${server.name} has another certificate pinned: ${pinned}`);
      }
      if (pinned === undefined) await this.#store.change(id, { first_certificate_sha256: certificate });
    });
  }

  /** How many servers should run and do not. */
  async failing(): Promise<string[]> {
    return (await this.#store.all()).filter(({ state }) => state === 'failed').map(({ name }) => name);
  }

  async #startWanted(id: string): Promise<Server> {
    const server = await this.#store.get(id);
    requireTransition(server.name, server.state, 'starting');
    await this.#store.change(id, { wanted: true });
    const started = await this.#supervisor.start({ ...server, wanted: true });
    if (started.state === 'running') return toServer(started);
    throw new ServiceError('upstream_failed', `server ${server.name} does not start: ${started.problem}`);
  }
}
