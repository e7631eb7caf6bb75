import { Transform } from 'node:stream';

const WIDTH = 30;
const REDRAW_MS = 100;

function size(bytes: number): string {
  const unit = bytes >= 1e9 ? 1e9 : 1e6;
  return `${(bytes / unit).toFixed(1)} ${unit === 1e9 ? 'GB' : 'MB'}`;
}

/**
 * Passes bytes on and draws how many have passed, on standard error and only when that is a terminal.
 *
 * @param total bytes that are expected, or null when nobody knows
 */
export function progressBar(what: string, total: number | null): Transform {
  const terminal = process.stderr.isTTY;
  let passed = 0;
  let drawnAt = 0;

  function draw(): void {
    const share = total ? Math.min(1, passed / total) : 0;
    const bar = total
      ? `[${'#'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '.')}] ${Math.round(share * 100)} % `
      : '';
    process.stderr.write(`\r\u001b[K${what} ${bar}${size(passed)}`);
    drawnAt = Date.now();
  }

  return new Transform({
    transform(part: Buffer, _encoding, done) {
      passed += part.length;
      if (terminal && Date.now() - drawnAt >= REDRAW_MS) draw();
      done(null, part);
    },
    flush(done) {
      if (terminal) {
        draw();
        process.stderr.write('\n');
      }
      done();
    },
  });
}
