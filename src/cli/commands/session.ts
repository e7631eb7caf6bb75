import { type Command, Option } from 'commander';
import { POLICY_FLAGS } from '#contract/common.ts';
import type { SessionTicket } from '#contract/session-api.ts';
import { FINAL_STATES, SESSION_STATES, type Session, type SessionState } from '#contract/session-pipeline.ts';
import type { RecordingStatus } from '#contract/session-recorder.ts';
import { addDisplayOptions, type DisplayOptions, displayOf } from '../display-options.ts';
import { registerEvidenceVerbs } from './session-evidence.ts';
import { registerVideo } from './session-video.ts';
import { registerWatch } from './session-watch.ts';

interface TicketOptions {
  rdp?: string;
  ticketSeconds?: string;
  json?: boolean;
}

interface CreateOptions extends TicketOptions, DisplayOptions {
  allow?: string;
  minutes?: string;
}

const POLL_MS = 500;

/** Loaded when a command runs, so that `lucid --help` stays quick. */
async function load() {
  const [api, output, servers, help] = await Promise.all([
    import('../api.ts'),
    import('../output.ts'),
    import('../servers.ts'),
    import('../connect-help.ts'),
  ]);
  return { ...api, ...output, ...servers, ...help };
}

/** @throws Error naming the option and what was found */
function wholeNumber(option: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${option} ${text}: wants a whole number`);
  return Number(text);
}

/** A policy from `--allow` and the options that go with it; undefined leaves all to the deployment. @throws Error naming what is wrong */
function policyOf(options: CreateOptions) {
  const lone = (['minutes', 'profiles', 'bulkCompression'] as const).find((name) => options[name] !== undefined);
  if (options.allow === undefined && lone === undefined) return undefined;
  if (options.allow === undefined) {
    throw new Error(
      `--${lone === 'bulkCompression' ? 'bulk-compression' : lone} wants --allow too, e.g. --allow input`,
    );
  }
  const names = options.allow.split(',').map((name) => name.trim());
  const unknown = names.find((name) => name !== 'none' && !POLICY_FLAGS.includes(name as never));
  if (unknown) throw new Error(`--allow ${unknown}: wants a list of ${POLICY_FLAGS.join(', ')}, or none`);
  const allowed = names.filter((name) => name !== 'none').map((name) => [name, true]);
  return {
    ...Object.fromEntries(allowed),
    ...(options.minutes && { max_minutes: wholeNumber('--minutes', options.minutes) }),
    ...displayOf(options),
  };
}

async function tellTicket(ticket: SessionTicket, server: string, options: TicketOptions): Promise<void> {
  const { printJson, connectHelp } = await load();
  if (options.rdp) {
    const { writeFileSync } = await import('node:fs');
    writeFileSync(options.rdp, ticket.rdp_file, { mode: 0o600 });
  }
  if (options.json) printJson(ticket);
  else process.stdout.write(connectHelp(ticket, server, options.rdp));
}

async function show(session: Session, json: boolean | undefined): Promise<void> {
  const { openApi, serverName, printJson, printFields, printTable, localTime, plain } = await load();
  if (json) return printJson(session);
  const api = openApi();
  const allowed = POLICY_FLAGS.filter((name) => session.policy[name]);
  printFields([
    ['id', session.id],
    ['state', session.state + (session.connected ? ', connected' : '')],
    ['server', await serverName(api, session.server_id)],
    ['user', session.user_id],
    ['allowed', allowed.join(', ') || 'nothing'],
    ['limits', `${session.policy.max_minutes} min, ${session.policy.idle_minutes} min idle`],
    ['created', localTime(session.created_at)],
    ['started', localTime(session.started_at)],
    ['ended', localTime(session.ended_at)],
    ...(session.resumable_until ? ([['resumable', `until ${localTime(session.resumable_until)}`]] as const) : []),
    ...(session.reason ? ([['reason', plain(session.reason)]] as const) : []),
    ...recordingFields(await api.getRecording({ params: { id: session.id } }).catch(unlessThere)),
  ] as [string, string][]);
  const { items } = await api.getSessionHistory({ params: { id: session.id } });
  if (items.length === 0) return;
  process.stdout.write('\n');
  printTable(
    ['TIME', 'STATE', 'CAUSE'],
    // A connection that was lost, or is back, moves the session nowhere: the word for it says more.
    items.map((step) => [localTime(step.time), step.from === step.to ? step.event : step.to, plain(step.cause)]),
  );
}

/** @returns null for `not_found`: a session that nobody connected to, or an outside recorder's */
function unlessThere(error: unknown): null {
  if ((error as { code?: string }).code === 'not_found') return null;
  throw error;
}

function recordingFields(recording: RecordingStatus | null): [string, string][] {
  if (recording === null) return [];
  const { records, bytes, chunks, undecodable_share, quality } = recording;
  const { streams, durability, receipts, gaps, missing_records, problems } = quality;
  const stored = streams.reduce((sum, { stored_bytes }) => sum + stored_bytes, 0);
  const byStream = streams.map((totals) => `${totals.stream} ${totals.records}`).join(', ');
  const undecodable = undecodable_share === 0 ? 'nothing' : `${Number((undecodable_share * 100).toPrecision(2))} %`;
  return [
    ['recording', `${records} records, ${bytes} bytes, ${durability}; in ${chunks} chunks of ${stored} bytes`],
    ...(byStream ? ([['stored', `${byStream} records`]] as [string, string][]) : []),
    [
      'quality',
      `${receipts} receipts of pixels, ${gaps} gaps, ${missing_records} records missing, ${undecodable} undecodable`,
    ],
    ...problems.map((problem): [string, string] => ['degraded', problem]),
  ];
}

export function register(program: Command): void {
  const session = program.command('session').description('sessions: connect to a server, look at recordings');

  session
    .command('list')
    .description('list sessions, newest first')
    .addOption(new Option('--state <state>', 'only those in this state').choices(SESSION_STATES))
    .option('--limit <n>', 'how many', '50')
    .option('--cursor <cursor>', 'go on where an earlier list ended')
    .option('--json', 'as JSON')
    .action(async (options: { state?: SessionState; limit: string; cursor?: string; json?: boolean }) => {
      const { openApi, allServers, printJson, printTable, localTime, plain } = await load();
      const api = openApi();
      const { state, cursor } = options;
      const query = {
        limit: wholeNumber('--limit', options.limit),
        ...(state && { state }),
        ...(cursor && { cursor }),
      };
      const page = await api.listSessions({ query });
      if (options.json) return printJson(page);
      const names = new Map((await allServers(api)).map((server) => [server.id, server.name]));
      printTable(
        ['ID', 'SERVER', 'STATE', 'CREATED', 'ENDED', 'REASON'],
        page.items.map((row) => [
          row.id,
          names.get(row.server_id) ?? row.server_id,
          row.state + (row.connected ? ' *' : ''),
          localTime(row.created_at),
          localTime(row.ended_at),
          plain(row.reason ?? ''),
        ]),
      );
      if (page.next_cursor) process.stderr.write(`more: ./lucid session list --cursor ${page.next_cursor}\n`);
    });

  session
    .command('show')
    .description('show one session and its history')
    .argument('<id>')
    .option('--json', 'as JSON')
    .action(async (id: string, options: { json?: boolean }) => {
      const { openApi } = await load();
      await show(await openApi().getSession({ params: { id } }), options.json);
    });

  addDisplayOptions(session.command('create'))
    .description('create a session and a ticket for it; tells how to connect')
    .argument('<server>', 'name or id')
    .option('--allow <list>', `what the session allows, of ${POLICY_FLAGS.join(', ')}; or none`)
    .option('--minutes <n>', 'time limit')
    .option('--rdp <file>', 'write an .rdp file')
    .option('--ticket-seconds <n>', 'how long the ticket is good for')
    .option('--json', 'as JSON')
    .action(async (server: string, options: CreateOptions) => {
      const { openApi } = await load();
      const policy = policyOf(options);
      const ticket = await openApi().createSession({
        body: {
          server,
          ...(policy && { policy }),
          ...(options.ticketSeconds && { ticket_seconds: wholeNumber('--ticket-seconds', options.ticketSeconds) }),
        },
      });
      await tellTicket(ticket, server, options);
    });

  session
    .command('ticket')
    .description('a new ticket for a session that is not over')
    .argument('<id>')
    .option('--rdp <file>', 'write an .rdp file')
    .option('--ticket-seconds <n>', 'how long the ticket is good for')
    .option('--json', 'as JSON')
    .action(async (id: string, options: TicketOptions) => {
      const { openApi, serverName } = await load();
      const api = openApi();
      const body = options.ticketSeconds
        ? { ticket_seconds: wholeNumber('--ticket-seconds', options.ticketSeconds) }
        : {};
      const ticket = await api.createTicket({ params: { id }, body });
      await tellTicket(ticket, await serverName(api, ticket.session.server_id), options);
    });

  for (const verb of ['pause', 'resume'] as const) {
    session
      .command(verb)
      .description(
        verb === 'pause' ? 'freeze a session: display, input and recording stand still' : 'let a paused session go on',
      )
      .argument('<id>')
      .option('--reason <words>', 'told to the person, and kept with the recording')
      .option('--json', 'as JSON')
      .action(async (id: string, options: { reason?: string; json?: boolean }) => {
        const { openApi } = await load();
        const input = { params: { id }, body: options.reason ? { reason: options.reason } : {} };
        const api = openApi();
        const session = verb === 'pause' ? await api.pauseSession(input) : await api.resumeSession(input);
        await show(session, options.json);
      });
  }

  session
    .command('end')
    .description('end a session; its recording is sealed and closed')
    .argument('<id>')
    .option('--reason <words>', 'told to the person, and kept')
    .option('--wait', 'return only when the recording is closed')
    .option('--json', 'as JSON')
    .action(async (id: string, options: { reason?: string; wait?: boolean; json?: boolean }) => {
      const { openApi } = await load();
      const api = openApi();
      const body = options.reason ? { reason: options.reason } : {};
      let ended = await api.stopSession({ params: { id }, body });
      while (options.wait && !FINAL_STATES.includes(ended.state)) {
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
        ended = await api.getSession({ params: { id } });
      }
      await show(ended, options.json);
    });

  session
    .command('download')
    .description("download a session's bundle: all that is needed to verify it and, with an identity, to replay it")
    .argument('<id>')
    .option('-o, --output <path>', 'file, or with --unpack folder; lucid-<id>.tar or lucid-<id> unless given')
    .addOption(new Option('--unpack', 'unpack it into a folder').conflicts('zip'))
    .option('--zip', 'as zip archive instead of tar')
    .option('--json', 'as JSON')
    .action(async (id: string, options: { output?: string; unpack?: boolean; zip?: boolean; json?: boolean }) => {
      const { downloadBundle } = await import('../download-bundle.ts');
      const { openApi, printJson, quote } = await load();
      const format = options.zip ? 'zip' : 'tar';
      const path = options.output ?? `lucid-${id}${options.unpack ? '' : `.${format}`}`;
      const result = await downloadBundle(id, { path, format, unpack: options.unpack === true });
      if (options.json) return printJson(result);
      process.stdout.write(`${result.path}: ${result.bytes} bytes${options.unpack ? `, ${result.files} files` : ''}\n`);
      if (options.zip) return void process.stdout.write('To check it, unpack it and lucid verify the folder.\n');
      const { verifier_key } = await openApi().nodeKey({});
      process.stdout.write(`To check it: ./lucid verify ${quote(result.path)} --node-key ${quote(verifier_key)}\n`);
    });

  session
    .command('node-key')
    .description('the verifier key that recordings are signed with: keep it where you verify them')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { openApi, printJson } = await load();
      const key = await openApi().nodeKey({});
      if (options.json) return printJson(key);
      process.stdout.write(`${key.verifier_key}\n`);
    });

  registerEvidenceVerbs(session);
  registerVideo(session);
  registerWatch(session);
}
