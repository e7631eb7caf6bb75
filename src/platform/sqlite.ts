import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';

/** Statements that are kept prepared; beyond it the one that was not used for longest is let go. */
const MAX_STATEMENTS = 500;

export interface Prepared {
  readonly statement: StatementSync;
  /** Whether it answers with rows. */
  readonly reader: boolean;
}

/** A database file, and its statements once they were used. What it says is durable is. */
export class Sqlite {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, Prepared>();

  /**
   * @param file path, made when missing, or `:memory:`
   * @throws the cause, when the file is no database or is locked
   */
  constructor(file: string) {
    if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    this.#database = new DatabaseSync(file, { timeout: 5000, enableForeignKeyConstraints: true });
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  }

  prepare(sql: string): Prepared {
    const found = this.#prepared.get(sql) ?? this.#prepareAnew(sql);
    this.#prepared.delete(sql);
    this.#prepared.set(sql, found);
    if (this.#prepared.size > MAX_STATEMENTS) this.#prepared.delete(this.#prepared.keys().next().value!);
    return found;
  }

  /** Walks through rows, with a statement of its own: meanwhile another may want to run the same. */
  iterate(sql: string, parameters: readonly unknown[]): IterableIterator<unknown> {
    return this.#database.prepare(sql).iterate(...(parameters as SQLInputValue[]));
  }

  close(): void {
    this.#prepared.clear();
    this.#database.close();
  }

  #prepareAnew(sql: string): Prepared {
    const statement = this.#database.prepare(sql);
    return { statement, reader: statement.columns().length > 0 };
  }
}
