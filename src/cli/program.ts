import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { ServiceError } from '#contract/errors.ts';
import * as backup from './commands/backup.ts';
import * as demo from './commands/demo.ts';
import * as dump from './commands/dump.ts';
import * as fsck from './commands/fsck.ts';
import * as login from './commands/login.ts';
import * as render from './commands/render.ts';
import * as replay from './commands/replay.ts';
import * as serve from './commands/serve.ts';
import * as server from './commands/server.ts';
import * as session from './commands/session.ts';
import * as settings from './commands/settings.ts';
import * as storage from './commands/storage.ts';
import * as token from './commands/token.ts';
import * as up from './commands/up.ts';
import * as user from './commands/user.ts';
import * as verify from './commands/verify.ts';

const COMMANDS = [
  ...[up, demo, login, user, token, server, session, storage, verify, replay, render, dump],
  ...[backup, fsck, serve, settings],
];

/** The whole command line. Each command registers itself; its work is loaded only when it runs. */
export function createProgram(): Command {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const program = new Command('lucid')
    .description('Remote desktops over RDP, every session recorded as evidence')
    .version(version)
    .showHelpAfterError('(lucid --help lists every command)')
    .configureHelp({ showGlobalOptions: true });
  for (const command of COMMANDS) command.register(program);
  return program;
}

/**
 * Runs the command line. What goes wrong is one line on standard error and exit code 1; DEBUG=true adds the stack.
 *
 * @param argv as in `process.argv`
 */
export async function run(argv: string[]): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // The reader has gone (`lucid dump ... | head`): there is nobody to write to.
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  try {
    await createProgram().parseAsync(argv);
  } catch (error) {
    const told = error instanceof Error ? error : new Error(String(error));
    process.stderr.write(`lucid: ${wordsOf(told)}${told instanceof ServiceError ? ` (${told.code})` : ''}\n`);
    if (process.env.DEBUG === 'true') process.stderr.write(`${told.stack}\n`);
    process.exitCode ||= 1;
  }
}

/** The error's message; of a file that is not there or may not be opened, its path and that, without the system call. */
function wordsOf(error: NodeJS.ErrnoException): string {
  if (!error.path || !error.syscall) return error.message;
  if (error.code === 'ENOENT') return `${error.path}: no such file or folder`;
  if (error.code === 'EACCES') return `${error.path}: this user may not open it`;
  return error.message;
}
