import { Argument, type Command } from 'commander';
import type { Server } from '#contract/rdp-server-manager.ts';
import { addServerOptions, changedSpec, type ServerOptions } from '../server-options.ts';

interface JsonOption {
  json?: boolean;
}

/** Loaded when a command runs, so that `lucid --help` stays quick. */
async function load() {
  const [api, output, servers, prompt] = await Promise.all([
    import('../api.ts'),
    import('../output.ts'),
    import('../servers.ts'),
    import('../prompt.ts'),
  ]);
  return { ...api, ...output, ...servers, ...prompt };
}

function where({ spec }: Server): string {
  if (spec.kind === 'external') return `${spec.host}:${spec.port ?? 3389}`;
  return `hosted desktop, ${spec.backend ?? 'vnc'}, ${spec.width ?? 1280}x${spec.height ?? 800}`;
}

async function show(server: Server, json: boolean | undefined): Promise<void> {
  const { printFields, printJson, localTime, plain } = await load();
  if (json) return printJson(server);
  printFields([
    ['id', server.id],
    ['name', server.name],
    ['state', server.state],
    ['where', where(server)],
    ['password', server.has_password ? 'kept, sealed' : 'none'],
    ['created', localTime(server.created_at)],
    ...(server.problem ? ([['problem', plain(server.problem)]] as [string, string][]) : []),
  ]);
}

function checkName(name: string): void {
  if (!/^[a-z0-9-]+$/.test(name)) throw new Error(`${name}: a name has lower-case letters, digits and hyphens only`);
}

export function register(program: Command): void {
  const server = program.command('server').description('servers: hosted desktops and external hosts');

  server
    .command('list')
    .description('list servers')
    .option('--json', 'as JSON')
    .action(async (options: JsonOption) => {
      const { openApi, allServers, printJson, printTable, plain } = await load();
      const servers = await allServers(openApi());
      if (options.json) return printJson(servers);
      printTable(
        ['NAME', 'STATE', 'WHERE', 'PROBLEM'],
        servers.map((row) => [row.name, row.state, where(row), plain(row.problem ?? '')]),
      );
    });

  addServerOptions(server.command('add'))
    .description('add a hosted desktop, or with --host an external host')
    .argument('<name>', 'lower-case letters, digits and hyphens')
    .option('--json', 'as JSON')
    .action(async (name: string, options: ServerOptions & JsonOption) => {
      const { openApi, askPassword } = await load();
      checkName(name);
      const { host } = options;
      const spec = changedSpec(host ? { kind: 'external', host } : { kind: 'hosted' }, options);
      const api = openApi();
      const password = options.passwordStdin ? await askPassword(`Password on ${host}: `) : undefined;
      const added = await api.createServer({ body: { name, spec, ...(password !== undefined && { password }) } });
      await show(added, options.json);
    });

  addServerOptions(server.command('update'))
    .description('change a server, a hosted one while it does not run; what is not named stays')
    .argument('<server>', 'name or id')
    .option('--name <name>', 'another name')
    .option('--forget-password', 'use no password there any more')
    .option('--json', 'as JSON')
    .action(
      async (idOrName: string, options: ServerOptions & JsonOption & { name?: string; forgetPassword?: boolean }) => {
        const { openApi, findServer, askPassword } = await load();
        const { name, json, forgetPassword, passwordStdin, ...named } = options;
        if (name !== undefined) checkName(name);
        if (forgetPassword && passwordStdin)
          throw new Error('--forget-password and --password-stdin exclude each other');
        const api = openApi();
        const { id, spec: old, name: oldName } = await findServer(api, idOrName);
        const spec = changedSpec(old, { ...named, ...(passwordStdin && { passwordStdin }) });
        const password = passwordStdin ? await askPassword(`Password on ${oldName}: `) : null;
        const body = {
          ...(name !== undefined && { name }),
          ...(Object.keys(named).length > 0 && { spec }),
          ...((passwordStdin || forgetPassword) && { password }),
        };
        if (Object.keys(body).length === 0)
          throw new Error('nothing to change: lucid server update --help tells what can be');
        await show(await api.updateServer({ params: { id }, body }), json);
      },
    );

  server
    .command('maintenance')
    .description('keep new sessions out of a server, or let them in again; live ones go on')
    .argument('<server>', 'name or id')
    .addArgument(new Argument('<on|off>').choices(['on', 'off']))
    .option('--json', 'as JSON')
    .action(async (idOrName: string, state: 'on' | 'off', options: JsonOption) => {
      const { openApi, findServer } = await load();
      const api = openApi();
      const { id } = await findServer(api, idOrName);
      await show(await api.updateServer({ params: { id }, body: { maintenance: state === 'on' } }), options.json);
    });

  for (const [verb, about] of [
    ['start', 'start a hosted desktop; returns when it speaks RDP'],
    ['stop', 'stop a hosted desktop; sessions to it end'],
    ['restart', 'stop a hosted desktop, then start it'],
  ] as const) {
    server
      .command(verb)
      .description(about)
      .argument('<server>', 'name or id')
      .option('--json', 'as JSON')
      .action(async (idOrName: string, options: JsonOption) => {
        const { openApi, findServer } = await load();
        const api = openApi();
        const { id } = await findServer(api, idOrName);
        await show(await api[`${verb}Server`]({ params: { id } }), options.json);
      });
  }

  server
    .command('show')
    .description('show one server')
    .argument('<server>', 'name or id')
    .option('--json', 'as JSON')
    .action(async (idOrName: string, options: JsonOption) => {
      const { openApi, findServer } = await load();
      await show(await findServer(openApi(), idOrName), options.json);
    });

  server
    .command('remove')
    .description('remove a stopped or external server; recordings of its sessions stay')
    .argument('<server>', 'name or id')
    .option('--json', 'as JSON')
    .action(async (idOrName: string, options: JsonOption) => {
      const { openApi, findServer, printJson } = await load();
      const api = openApi();
      const { id, name } = await findServer(api, idOrName);
      await api.deleteServer({ params: { id } });
      if (options.json) return printJson({ id, name, removed: true });
      process.stdout.write(`${name} is removed\n`);
    });
}
