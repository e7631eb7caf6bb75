import { type Command, InvalidArgumentError } from 'commander';
import { SCOPES, type Scope } from '#contract/common.ts';

/** Loaded when a command runs, so that `lucid --help` stays quick. */
async function load() {
  const [api, output, pages] = await Promise.all([
    import('../api.ts'),
    import('../output.ts'),
    import('../all-pages.ts'),
  ]);
  return { ...api, ...output, ...pages };
}

function scopesOf(text: string): Scope[] {
  const scopes = text.split(',').map((scope) => scope.trim());
  const unknown = scopes.find((scope) => !SCOPES.includes(scope as Scope));
  if (unknown !== undefined) throw new InvalidArgumentError(`${unknown} is none of ${SCOPES.join(', ')}.`);
  return scopes as Scope[];
}

function daysOf(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('It wants a whole number of days.');
  return Number(text);
}

export function register(program: Command): void {
  const token = program.command('token').description('API tokens: what programs call the API with');

  token
    .command('list')
    .description('list API tokens, newest first: the own, or as an admin or auditor all')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { openApi, allPages, printJson, printTable, localTime, plain } = await load();
      const api = openApi();
      const tokens = await allPages((query) => api.listTokens({ query }));
      if (options.json) return printJson(tokens);
      printTable(
        ['ID', 'NAME', 'EXPIRES', 'LAST USED', 'SCOPES'],
        tokens.map((row) => [
          row.id,
          plain(row.name),
          row.expires_at === null ? 'never' : localTime(row.expires_at),
          localTime(row.last_used_at),
          row.scopes.join(' '),
        ]),
      );
    });

  token
    .command('create')
    .description('make an API token; it is shown this once')
    .argument('<name>', 'what it is for')
    .requiredOption('--scopes <list>', `what it is good for, of ${SCOPES.join(', ')}`, scopesOf)
    .option('--days <n>', 'how long it is good for; else it never expires', daysOf)
    .option('--json', 'as JSON')
    .action(async (name: string, options: { scopes: Scope[]; days?: number; json?: boolean }) => {
      const { openApi, printJson } = await load();
      const { scopes, days, json } = options;
      const made = await openApi().createToken({ body: { name, scopes, ...(days && { expires_days: days }) } });
      if (json) return printJson(made);
      process.stderr.write(`Keep it: it is not shown again. To take it back: ./lucid token revoke ${made.id}\n`);
      process.stdout.write(`${made.token}\n`);
    });

  token
    .command('revoke')
    .description('remove an API token')
    .argument('<id>')
    .option('--json', 'as JSON')
    .action(async (id: string, options: { json?: boolean }) => {
      const { openApi, printJson } = await load();
      await openApi().revokeToken({ params: { id } });
      if (options.json) return printJson({ id, revoked: true });
      process.stdout.write(`${id} is revoked\n`);
    });
}
