/** Settings: declared once per service, read from the environment, checked at start. */

export interface Setting<T> {
  default: T;
  /** One line for `--help` and the documentation. */
  doc: string;
  parse: (text: string) => T;
}

export type SettingsSchema = Record<string, Setting<unknown>>;

export type SettingsOf<S extends SettingsSchema> = { [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

/** A value that is not usable: its message names the setting, what was given and what is wanted. */
export class SettingError extends Error {
  override readonly name = 'SettingError';
}

export function text<const T extends string>(doc: string, fallback: T | string = ''): Setting<string> {
  return { default: fallback, doc, parse: (value) => value };
}

/** @param unit stands in the error message: `seconds`, `bytes`, ... */
export function integer(doc: string, fallback: number, min: number, max: number, unit = ''): Setting<number> {
  return {
    default: fallback,
    doc,
    parse: (value) => {
      const number = Number(value);
      if (!/^-?\d+$/.test(value) || number < min || number > max) {
        throw new SettingError(`wants a whole number from ${min} to ${max}${unit && ` (${unit})`}`);
      }
      return number;
    },
  };
}

export function flag(doc: string, fallback: boolean): Setting<boolean> {
  return {
    default: fallback,
    doc,
    parse: (value) => {
      if (value !== 'true' && value !== 'false') throw new SettingError('wants true or false');
      return value === 'true';
    },
  };
}

export function choice<const T extends string>(doc: string, fallback: T, ...others: T[]): Setting<T> {
  const values = [fallback, ...others];
  return {
    default: fallback,
    doc,
    parse: (value) => {
      if (!values.includes(value as T)) throw new SettingError(`wants one of ${values.join(', ')}`);
      return value as T;
    },
  };
}

/**
 * Reads a service's settings from the environment.
 *
 * @throws SettingError naming the variable, its value and what is wanted
 */
export function readSettings<S extends SettingsSchema>(schema: S, env: NodeJS.ProcessEnv): SettingsOf<S> {
  const entries = Object.entries(schema).map(([name, setting]) => {
    const value = env[name];
    if (value === undefined || value === '') return [name, setting.default];
    try {
      return [name, setting.parse(value)];
    } catch (error) {
      if (error instanceof SettingError) throw new SettingError(`${name}=${value}: ${error.message}`);
      throw error;
    }
  });
  return Object.fromEntries(entries);
}

/**
 * Refuses variables that begin with `LUCID_` and that nobody reads: a misspelt setting must not be ignored.
 *
 * @throws SettingError naming the variable, and the nearest known one
 */
export function refuseUnknownSettings(env: NodeJS.ProcessEnv, known: ReadonlySet<string>): void {
  for (const name of Object.keys(env)) {
    if (!name.startsWith('LUCID_') || known.has(name)) continue;
    const near = [...known].toSorted((a, b) => distance(name, a) - distance(name, b))[0];
    throw new SettingError(`${name} is not a setting of Lucid; did you mean ${near}?`);
  }
}

/** Levenshtein's edit distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
}
