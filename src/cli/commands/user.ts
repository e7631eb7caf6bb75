import { Argument, type Command, Option } from 'commander';
import { ROLES, type Role } from '#contract/common.ts';
import type { User } from '#contract/session-api.ts';

interface JsonOption {
  json?: boolean;
}

/** Loaded when a command runs, so that `lucid --help` stays quick. */
async function load() {
  const [api, output, prompt, users] = await Promise.all([
    import('../api.ts'),
    import('../output.ts'),
    import('../prompt.ts'),
    import('../users.ts'),
  ]);
  return { ...api, ...output, ...prompt, ...users };
}

async function show(user: User, json: boolean | undefined): Promise<void> {
  const { printFields, printJson, localTime } = await load();
  if (json) return printJson(user);
  printFields([
    ['id', user.id],
    ['name', user.name],
    ['role', user.role],
    ['created', localTime(user.created_at)],
  ]);
}

export function register(program: Command): void {
  const user = program.command('user').description('people who may log in, and what they may do');

  user
    .command('list')
    .description('list users by name')
    .option('--json', 'as JSON')
    .action(async (options: JsonOption) => {
      const { openApi, allUsers, printJson, printTable, localTime } = await load();
      const users = await allUsers(openApi());
      if (options.json) return printJson(users);
      printTable(
        ['NAME', 'ROLE', 'CREATED', 'ID'],
        users.map((row) => [row.name, row.role, localTime(row.created_at), row.id]),
      );
    });

  user
    .command('add')
    .description('add a user; the password is asked for, or read from standard input')
    .argument('<name>', 'lower-case letters, digits, dots, hyphens and underscores')
    .addOption(new Option('--role <role>', 'what they may do').choices(ROLES).default('user'))
    .option('--json', 'as JSON')
    .action(async (name: string, options: JsonOption & { role: Role }) => {
      const { openApi, askPasswords } = await load();
      const api = openApi();
      const [password] = await askPasswords([`Password of ${name}: `], { set: true });
      await show(await api.createUser({ body: { name, role: options.role, password } }), options.json);
    });

  user
    .command('role')
    .description('give a user another role; ends their log-ins and removes their API tokens')
    .argument('<user>', 'name or id')
    .addArgument(new Argument('<role>').choices(ROLES))
    .option('--json', 'as JSON')
    .action(async (nameOrId: string, role: Role, options: JsonOption) => {
      const { openApi, findUser } = await load();
      const api = openApi();
      const { id } = await findUser(api, nameOrId);
      await show(await api.updateUser({ params: { id }, body: { role } }), options.json);
    });

  user
    .command('password')
    .description("set somebody's password, or without a name the own; ends their log-ins and removes their API tokens")
    .argument('[user]', 'name or id')
    .option('--json', 'as JSON')
    .action(async (nameOrId: string | undefined, options: JsonOption) => {
      const { openApi, findUser, askPasswords } = await load();
      const api = openApi();
      if (nameOrId !== undefined) {
        const { id } = await findUser(api, nameOrId);
        const [password] = await askPasswords([`New password of ${nameOrId}: `], { set: true });
        return show(await api.updateUser({ params: { id }, body: { password } }), options.json);
      }
      const me = await api.whoAmI({});
      const [old, fresh] = await askPasswords(['Old password: ', 'New password: '], { set: true });
      await api.changePassword({ body: { old, new: fresh } });
      if (!options.json) process.stderr.write('changed; log in again: ./lucid login\n');
      await show(me, options.json);
    });

  user
    .command('remove')
    .description('remove a user: their sessions end, what is recorded stays')
    .argument('<user>', 'name or id')
    .option('--json', 'as JSON')
    .action(async (nameOrId: string, options: JsonOption) => {
      const { openApi, findUser, printJson } = await load();
      const api = openApi();
      const { id, name } = await findUser(api, nameOrId);
      await api.deleteUser({ params: { id } });
      if (options.json) return printJson({ id, name, removed: true });
      process.stdout.write(`${name} is removed\n`);
    });
}
