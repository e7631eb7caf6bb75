import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A wall clock that one program alone has, and that can be set while it runs. Debian's libfaketime stands between the
 * program and the C library's clock calls, and adds what a file says. It leaves CLOCK_MONOTONIC alone, as settimeofday(2)
 * does: to the program it is as if an administrator had set the machine's clock.
 */
export class SettableClock {
  readonly #file: string;

  /** @param folder for the file that says what the clock is set to */
  constructor(folder: string) {
    this.#file = join(folder, 'clock');
    this.set(0);
  }

  /** The environment of the program. */
  get environment(): Record<string, string> {
    return {
      LD_PRELOAD: findLibrary(),
      FAKETIME_TIMESTAMP_FILE: this.#file,
      // Seconds for which what the file says is remembered, in each thread.
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    };
  }

  /** Sets it ahead of the machine's, or back. The program sees it within a second. */
  set(seconds: number): void {
    writeFileSync(this.#file, `${seconds < 0 ? '' : '+'}${seconds}`);
  }
}

function findLibrary(): string {
  const names = readdirSync('/usr/lib', { recursive: false, encoding: 'utf8' });
  for (const name of names.filter((each) => each.endsWith('-linux-gnu'))) {
    const folder = join('/usr/lib', name, 'faketime');
    try {
      const library = readdirSync(folder).find((each) => each.startsWith('libfaketimeMT.so'));
      if (library) return join(folder, library);
    } catch {
      // Another architecture's.
    }
  }
  throw new Error('libfaketime is not there: apt-get install -y --no-install-recommends faketime');
}
