/** What is done with a session's recording once it is over: `lucid session hold` and the like. */
import { type Command, Option } from 'commander';
import type { StoredSession } from '#contract/session-storage.ts';

interface WhyOptions {
  reason: string;
  wait?: boolean;
  json?: boolean;
}

const POLL_MS = 500;

/** Loaded when a command runs, so that `lucid --help` stays quick. */
async function load() {
  const [api, output] = await Promise.all([import('../api.ts'), import('../output.ts')]);
  return { ...api, ...output };
}

async function show(stored: StoredSession, json: boolean | undefined): Promise<void> {
  const { printJson, printFields, localTime } = await load();
  if (json) return printJson(stored);
  const place = stored.place === 'archive' ? 'in the archive' : 'in the store';
  printFields([
    ['session', stored.session_id],
    ['evidence', stored.state + (stored.held ? ', under legal hold' : '')],
    ['chunks', `${stored.chunks}, ${stored.stored_bytes} bytes, ${place}`],
    ...(stored.moving ? ([['under way', stored.moving]] as [string, string][]) : []),
    ['opened', localTime(stored.opened_at)],
    ['closed', localTime(stored.closed_at)],
    ...(stored.deleted_at ? ([['deleted', localTime(stored.deleted_at)]] as [string, string][]) : []),
  ]);
}

function withReason(command: Command, fallback: string): Command {
  return command
    .argument('<id>')
    .addOption(new Option('--reason <word>', 'why, as one word that is kept with the recording').default(fallback))
    .option('--json', 'as JSON');
}

/** A move is made after the request is answered: `--wait` waits for it. */
async function moved(id: string, stored: StoredSession, wait: boolean | undefined): Promise<StoredSession> {
  const { openApi } = await load();
  let now = stored;
  while (wait && now.moving) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    now = await openApi().getEvidence({ params: { id } });
  }
  return now;
}

export function registerEvidenceVerbs(session: Command): void {
  session
    .command('evidence')
    .description('show what is stored of a session')
    .argument('<id>')
    .option('--json', 'as JSON')
    .action(async (id: string, { json }: { json?: boolean }) => {
      const { openApi } = await load();
      await show(await openApi().getEvidence({ params: { id } }), json);
    });

  withReason(session.command('hold'), 'legal-hold')
    .description('legal hold: the recording is not deleted until it is released')
    .action(async (id: string, { reason, json }: WhyOptions) => {
      const { openApi } = await load();
      await show(await openApi().holdSession({ params: { id }, body: { reason } }), json);
    });

  withReason(session.command('release'), 'hold-ended')
    .description('end a legal hold')
    .action(async (id: string, { reason, json }: WhyOptions) => {
      const { openApi } = await load();
      await show(await openApi().releaseSession({ params: { id }, body: { reason } }), json);
    });

  withReason(session.command('archive'), 'requested')
    .description('move a recording to the archive')
    .option('--wait', 'return only when it is there')
    .action(async (id: string, { reason, wait, json }: WhyOptions) => {
      const { openApi } = await load();
      const asked = await openApi().archiveSession({ params: { id }, body: { reason } });
      await show(await moved(id, asked, wait), json);
    });

  withReason(session.command('restore'), 'requested')
    .description('bring a recording back from the archive')
    .option('--wait', 'return only when it is back')
    .action(async (id: string, { reason, wait, json }: WhyOptions) => {
      const { openApi } = await load();
      const asked = await openApi().restoreSession({ params: { id }, body: { reason } });
      await show(await moved(id, asked, wait), json);
    });

  withReason(session.command('delete'), 'requested')
    .description('delete a recording for good; a tombstone stays, with which its signatures can still be checked')
    .option('--yes', 'do not ask')
    .action(async (id: string, { reason, yes, json }: WhyOptions & { yes?: boolean }) => {
      const { openApi } = await load();
      if (!yes) await confirm(`Delete the recording of session ${id} for good?`);
      await show(await openApi().deleteSession({ params: { id }, query: { reason } }), json);
    });
}

/** @throws Error unless the person at the terminal says yes */
async function confirm(question: string): Promise<void> {
  if (!process.stdin.isTTY) throw new Error('nobody is here to ask: give --yes');
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new Error('nothing was deleted');
}
