import type { Command } from 'commander';

interface PageOptions {
  limit: string;
  cursor?: string;
  json?: boolean;
}

/** Loaded when a command runs, so that `lucid --help` stays quick. */
async function load() {
  const [api, output] = await Promise.all([import('../api.ts'), import('../output.ts')]);
  return { ...api, ...output };
}

export function register(program: Command): void {
  const storage = program.command('storage').description('the store of recordings: room, checks, damage');

  storage
    .command('status')
    .description('room, quotas, retention, archive, checks')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const { openApi, printJson, printFields, localTime } = await load();
      const status = await openApi().storageStatus({});
      if (json) return printJson(status);
      const { archive, scrub } = status;
      const orNone = (value: number, unit: string) => (value === 0 ? 'none' : `${value} ${unit}`);
      const room = ({ free_bytes, total_bytes }: { free_bytes: number; total_bytes: number }) =>
        `${free_bytes} of ${total_bytes} bytes free`;
      const pass = scrub && (scrub.session_id === null ? 'over' : `${scrub.files} files so far`);
      printFields([
        ['stored', `${status.sessions} sessions, ${status.chunks} chunks, ${status.stored_bytes} bytes`],
        ['disk', room(status)],
        ['new sessions', status.accepts_sessions ? 'taken' : `refused: ${status.refusals.join('; ')}`],
        ['quota', orNone(status.quota_bytes, 'bytes')],
        ['retention', `${orNone(status.retention_days, 'days')}, ${orNone(status.retention_bytes, 'bytes')}`],
        ['archive', archive === null ? 'none' : archive.is_there ? room(archive) : 'not there: mount its disk'],
        ['damaged files', `${status.problems}, ${status.unacknowledged_problems} not acknowledged`],
        ['check', scrub === null ? 'not begun' : `since ${localTime(scrub.pass_started_at)}, ${pass}`],
        ['last whole check', localTime(scrub?.finished_at ?? null)],
      ]);
    });

  storage
    .command('list')
    .description('list what is stored, oldest session first')
    .option('--limit <n>', 'how many', '50')
    .option('--cursor <cursor>', 'go on where an earlier list ended')
    .option('--json', 'as JSON')
    .action(async ({ limit, cursor, json }: PageOptions) => {
      const { openApi, printJson, printTable, localTime } = await load();
      const page = await openApi().listEvidence({ query: { limit: Number(limit), ...(cursor && { cursor }) } });
      if (json) return printJson(page);
      printTable(
        ['SESSION', 'EVIDENCE', 'CHUNKS', 'BYTES', 'PLACE', 'HELD', 'CLOSED'],
        page.items.map((row) => [
          ...[row.session_id, row.state, String(row.chunks), String(row.stored_bytes), row.place],
          ...[row.held ? 'yes' : '', localTime(row.closed_at)],
        ]),
      );
      if (page.next_cursor) process.stderr.write(`more: lucid storage list --cursor ${page.next_cursor}\n`);
    });

  storage
    .command('problems')
    .description('list stored files that are missing or changed')
    .option('--limit <n>', 'how many', '50')
    .option('--cursor <cursor>', 'go on where an earlier list ended')
    .option('--json', 'as JSON')
    .action(async ({ limit, cursor, json }: PageOptions) => {
      const { openApi, printJson, printTable, localTime } = await load();
      const page = await openApi().listProblems({ query: { limit: Number(limit), ...(cursor && { cursor }) } });
      if (json) return printJson(page);
      printTable(
        ['ID', 'FOUND', 'SEEN', 'FILE', 'WHAT'],
        page.items.map((row) => [
          ...[row.id, localTime(row.found_at), row.acknowledged_at ? 'yes' : 'no'],
          ...[`${row.session_id}/${row.path}`, row.what],
        ]),
      );
      if (page.next_cursor) process.stderr.write(`more: lucid storage problems --cursor ${page.next_cursor}\n`);
    });

  storage
    .command('acknowledge')
    .description('say that a problem has been seen: health is not degraded by it any more')
    .argument('<problem>', 'its id')
    .action(async (id: string) => {
      const { openApi } = await load();
      await openApi().acknowledgeProblem({ params: { id } });
    });

  storage
    .command('check')
    .description('check a session soon, or begin to check all that is stored')
    .argument('[session]')
    .action(async (id: string | undefined) => {
      const { openApi } = await load();
      if (id) await openApi().checkSession({ params: { id } });
      else await openApi().beginScrub({});
      process.stderr.write('it runs in the background: lucid storage status, lucid storage problems\n');
    });
}
