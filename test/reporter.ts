import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';

/**
 * One line a test file, each failure in full, each skip with its reason, and a count at the end: fit for a log that
 * people read when something broke.
 */
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const files = new Map<string, { passed: number; failed: number; ms: number }>();
  let skipped = 0;
  for await (const event of events) {
    if (event.type === 'test:fail' || event.type === 'test:pass') {
      const { data } = event;
      const file = data.file ? relative(process.cwd(), data.file) : '?';
      if (data.details.type === 'suite') continue;
      const counts = files.get(file) ?? { passed: 0, failed: 0, ms: 0 };
      files.set(file, counts);
      if (data.skip !== undefined || data.todo !== undefined) {
        skipped++;
        yield `skipped  ${file}: ${data.name}: ${data.skip ?? data.todo}\n`;
        continue;
      }
      if (data.nesting === 0) counts.ms += data.details.duration_ms;
      if (event.type === 'test:pass') counts.passed++;
      else {
        counts.failed++;
        const error = event.data.details.error as Error & { cause?: Error };
        yield `\nFAILED   ${file}:${data.line}: ${data.name}\n${error.cause?.stack ?? error.stack ?? error.message}\n\n`;
      }
    } else if (event.type === 'test:stderr' || event.type === 'test:stdout') {
      if (process.env.TEST_OUTPUT) yield event.data.message;
    }
  }
  let passed = 0;
  let failed = 0;
  for (const [file, counts] of [...files].toSorted(([a], [b]) => a.localeCompare(b))) {
    yield `${counts.failed ? 'FAILED ' : 'ok     '}  ${file}: ${counts.passed} in ${Math.round(counts.ms)} ms\n`;
    passed += counts.passed;
    failed += counts.failed;
  }
  yield `${passed} passed, ${failed} failed, ${skipped} skipped\n`;
}
