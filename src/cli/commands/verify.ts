import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Check, VerifyReport } from '#evidence/node/verify-report.ts';

interface VerifyCommandOptions {
  identity?: string;
  nodeKey?: string[];
  session?: string;
  json?: boolean;
}

const MARKS = { passed: 'ok     ', failed: 'WRONG  ', skipped: '-      ' } as const;
/** Exit codes: scripts must be able to tell evidence that is wrong from evidence that does not suffice. */
const EXIT_CODES = { verified: 0, failed: 1, incomplete: 2 } as const;

export function register(program: Command): void {
  program
    .command('verify')
    .description('check a bundle offline: exit code 0 verified, 1 wrong, 2 incomplete')
    .argument('<bundle>', 'its folder or tar archive')
    .option(
      '--node-key <key>',
      "the node's verifier key, or a file that holds it: from elsewhere than the bundle",
      collect,
    )
    .option('--identity <file>', 'open the recording with it, and replay it')
    .option('--session <id>', 'the session that it must be of')
    .option('--json', 'as JSON')
    .action(async (bundle: string, options: VerifyCommandOptions) => {
      const report = await verify(bundle, options);
      if (options.json)
        process.stdout.write(`${JSON.stringify({ ...report, verified: report.verdict === 'verified' }, null, 2)}\n`);
      else process.stdout.write(await describe(report));
      process.exitCode = EXIT_CODES[report.verdict];
    });
}

async function verify(bundle: string, options: VerifyCommandOptions): Promise<VerifyReport> {
  const [
    { verifyBundle },
    { openBundleSource },
    { parseVerifierKey },
    { sha256 },
    { readIdentities },
    { player },
    { ProgressLine },
  ] = await Promise.all([
    import('#evidence/node/verify.ts'),
    import('#evidence/node/bundle-source.ts'),
    import('#evidence/note.ts'),
    import('#evidence/node/hash.ts'),
    import('../open-bundle.ts'),
    import('../player.ts'),
    import('../progress-line.ts'),
  ]);
  const keyTexts = (options.nodeKey ?? []).flatMap((key) =>
    existsSync(key)
      ? readFileSync(key, 'utf8')
          .split('\n')
          .map((line) => line.trim())
          .filter(Boolean)
      : [key],
  );
  const source = openBundleSource(bundle);
  const line = new ProgressLine();
  try {
    const steps = verifyBundle(source, {
      nodeKeys: keyTexts.map((text) => parseVerifierKey(sha256, text)),
      ...(options.session !== undefined && { session: options.session }),
      identities: options.identity ? readIdentities(options.identity) : [],
      player,
    });
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      line.update(`checking ${step.value.check}`, step.value.done, step.value.total);
    }
  } finally {
    line.clear();
    source.close();
  }
}

async function describe(report: VerifyReport): Promise<string> {
  const [{ gapWords }, { clock }] = await Promise.all([
    import('#render/marker-words.ts'),
    import('#render/session-time.ts'),
  ]);
  const lines = [`session ${report.session ?? 'unknown'}`, ...report.checks.flatMap(describeCheck)];
  for (const gap of report.gaps) {
    lines.push(`gap, marked at ${clock(gap.time)}: ${gapWords(gap)}${gap.detail ? `: ${gap.detail}` : ''}`);
  }
  for (const missing of report.missing) lines.push(`missing: ${missing}`);
  const scope = [report.ledgered ? 'ledgered' : 'not ledgered', report.anchored ? 'anchored' : 'not anchored'].join(
    ', ',
  );
  lines.push(`${report.verdict.toUpperCase()} (${scope})`);
  return `${lines.join('\n')}\n`;
}

function describeCheck(check: Check): string[] {
  return [
    `  ${MARKS[check.status]}${check.name.padEnd(9)}${check.detail}`,
    ...check.problems.map(({ where, what }) => `           ${where}: ${what}`),
  ];
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}
