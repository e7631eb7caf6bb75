import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { Kysely, type Migration, Migrator, SqliteDialect } from 'kysely';

/**
 * Opens a service's own database and brings its tables up to date.
 *
 * @param file path, or `:memory:`
 * @param migrations applied once each, in the order of their names
 * @throws the cause, when the file is no database, is locked or a migration fails
 */
export async function openDatabase<Tables>(
  file: string,
  migrations: Record<string, Migration>,
): Promise<Kysely<Tables>> {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const sqlite = new DatabaseSync(file, { timeout: 5000, enableForeignKeyConstraints: true });
  sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  const database = new Kysely<Tables>({ dialect: new SqliteDialect({ database: adapt(sqlite) }) });
  const migrator = new Migrator({ db: database, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error) {
    await database.destroy();
    throw error;
  }
  return database;
}

/** Statements that are kept prepared; beyond it the one that was not used for longest is let go. */
const MAX_STATEMENTS = 500;

/** The few calls of better-sqlite3's shape that Kysely's dialect makes, over Node's own SQLite. */
function adapt(sqlite: DatabaseSync) {
  const prepared = new Map<string, { statement: StatementSync; reader: boolean }>();

  function prepare(sql: string): { statement: StatementSync; reader: boolean } {
    const statement = sqlite.prepare(sql);
    return { statement, reader: statement.columns().length > 0 };
  }

  function preparedOf(sql: string): { statement: StatementSync; reader: boolean } {
    const found = prepared.get(sql) ?? prepare(sql);
    prepared.delete(sql);
    prepared.set(sql, found);
    if (prepared.size > MAX_STATEMENTS) prepared.delete(prepared.keys().next().value!);
    return found;
  }

  return {
    close() {
      prepared.clear();
      sqlite.close();
    },
    prepare(sql: string) {
      const { statement, reader } = preparedOf(sql);
      return {
        reader,
        all: (parameters: readonly unknown[]) => statement.all(...(parameters as SQLInputValue[])),
        run: (parameters: readonly unknown[]) => statement.run(...(parameters as SQLInputValue[])),
        // One of its own: while it is walked through, another may want to run the same.
        iterate: (parameters: readonly unknown[]) =>
          sqlite.prepare(sql).iterate(...(parameters as SQLInputValue[])) as IterableIterator<unknown>,
      };
    },
  };
}
