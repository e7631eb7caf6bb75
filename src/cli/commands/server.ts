import { type Command, Option } from 'commander';
import type { Server } from '#contract/rdp-server-manager.ts';

interface AddOptions {
  host?: string;
  port?: string;
  user?: string;
  domain?: string;
  certificate?: string;
  passwordStdin?: boolean;
  backend?: 'vnc' | 'xorg';
  size?: string;
  command?: string;
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

/** The settings of a new server, from options. @throws Error naming the option that does not fit */
function specOf(options: AddOptions) {
  if (options.host) {
    const { host, user, domain } = options;
    const misplaced = (['backend', 'size', 'command'] as const).find((name) => options[name] !== undefined);
    if (misplaced) throw new Error(`--${misplaced} is for hosted desktops; with --host the server is external`);
    return {
      kind: 'external' as const,
      host,
      ...(options.port && { port: Number(options.port) }),
      ...(user && { user }),
      ...(domain && { domain }),
      ...(options.certificate && { certificate_sha256: options.certificate.replaceAll(':', '').toLowerCase() }),
    };
  }
  const misplaced = (['port', 'user', 'domain', 'certificate', 'passwordStdin'] as const).find(
    (name) => options[name] !== undefined,
  );
  if (misplaced) throw new Error(`--${misplaced === 'passwordStdin' ? 'password-stdin' : misplaced} wants --host too`);
  const size = options.size === undefined ? null : /^(\d+)x(\d+)$/.exec(options.size);
  if (options.size !== undefined && !size) throw new Error(`--size ${options.size}: wants WIDTHxHEIGHT, e.g. 1280x800`);
  return {
    kind: 'hosted' as const,
    ...(options.backend && { backend: options.backend }),
    ...(size && { width: Number(size[1]), height: Number(size[2]) }),
    ...(options.command && { command: options.command }),
  };
}

export function register(program: Command): void {
  const server = program.command('server').description('servers: hosted desktops and external hosts');

  server
    .command('list')
    .description('list servers')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { openApi, allServers, printJson, printTable, plain } = await load();
      const servers = await allServers(openApi());
      if (options.json) return printJson(servers);
      printTable(
        ['NAME', 'STATE', 'WHERE', 'PROBLEM'],
        servers.map((row) => [row.name, row.state, where(row), plain(row.problem ?? '')]),
      );
    });

  server
    .command('add')
    .description('add a hosted desktop, or with --host an external host')
    .argument('<name>', 'lower-case letters, digits and hyphens')
    .option('--host <host>', 'external host')
    .option('--port <port>', 'its RDP port')
    .option('--user <name>', 'user name that is used there')
    .option('--domain <domain>', 'and its domain')
    .option('--password-stdin', 'read the password that is used there from the terminal or standard input')
    .option('--certificate <sha256>', "SHA-256 of the host's certificate; else the first that is seen is kept")
    .addOption(new Option('--backend <name>', 'X server of a hosted desktop').choices(['vnc', 'xorg']))
    .option('--size <WxH>', 'size of a hosted desktop, e.g. 1280x800')
    .option('--command <command>', 'run this in the desktop instead of a window manager and a terminal')
    .option('--json', 'as JSON')
    .action(async (name: string, options: AddOptions) => {
      const { openApi, askPassword } = await load();
      if (!/^[a-z0-9-]+$/.test(name))
        throw new Error(`${name}: a name has lower-case letters, digits and hyphens only`);
      const api = openApi();
      const spec = specOf(options);
      const password = options.passwordStdin ? await askPassword(`Password on ${options.host}: `) : undefined;
      const added = await api.createServer({ body: { name, spec, ...(password !== undefined && { password }) } });
      await show(added, options.json);
    });

  for (const [verb, about] of [
    ['start', 'start a hosted desktop; returns when it speaks RDP'],
    ['stop', 'stop a hosted desktop'],
  ] as const) {
    server
      .command(verb)
      .description(about)
      .argument('<server>', 'name or id')
      .option('--json', 'as JSON')
      .action(async (idOrName: string, options: { json?: boolean }) => {
        const { openApi, findServer } = await load();
        const api = openApi();
        const { id } = await findServer(api, idOrName);
        await show(await api[verb === 'start' ? 'startServer' : 'stopServer']({ params: { id } }), options.json);
      });
  }

  server
    .command('show')
    .description('show one server')
    .argument('<server>', 'name or id')
    .option('--json', 'as JSON')
    .action(async (idOrName: string, options: { json?: boolean }) => {
      const { openApi, findServer } = await load();
      await show(await findServer(openApi(), idOrName), options.json);
    });

  server
    .command('remove')
    .description('remove a stopped or external server; recordings of its sessions stay')
    .argument('<server>', 'name or id')
    .option('--json', 'as JSON')
    .action(async (idOrName: string, options: { json?: boolean }) => {
      const { openApi, findServer, printJson } = await load();
      const api = openApi();
      const { id, name } = await findServer(api, idOrName);
      await api.deleteServer({ params: { id } });
      if (options.json) return printJson({ id, name, removed: true });
      process.stdout.write(`${name} is removed\n`);
    });
}
