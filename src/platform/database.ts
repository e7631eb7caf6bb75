import type { SQLInputValue } from 'node:sqlite';
import { type Dialect, Kysely, type Migration, Migrator, SqliteDialect } from 'kysely';
import { Sqlite } from './sqlite.ts';

/**
 * Opens a service's own database and brings its tables up to date.
 *
 * @param file path, or `:memory:`
 * @param migrations applied once each, in the order of their names
 * @param dialect how the file is reached: in this thread, which waits for its disk, unless given
 * @throws the cause, when the file is no database, is locked or a migration fails
 */
export async function openDatabase<Tables>(
  file: string,
  migrations: Record<string, Migration>,
  dialect: (file: string) => Dialect = inThisThread,
): Promise<Kysely<Tables>> {
  const database = new Kysely<Tables>({ dialect: dialect(file) });
  const migrator = new Migrator({ db: database, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error) {
    await database.destroy();
    throw error;
  }
  return database;
}

/** The few calls of better-sqlite3's shape that Kysely's dialect makes, over Node's own SQLite. */
function inThisThread(file: string): Dialect {
  const sqlite = new Sqlite(file);
  const database = {
    close: () => sqlite.close(),
    prepare(sql: string) {
      const { statement, reader } = sqlite.prepare(sql);
      return {
        reader,
        all: (parameters: readonly unknown[]) => statement.all(...(parameters as SQLInputValue[])),
        run: (parameters: readonly unknown[]) => statement.run(...(parameters as SQLInputValue[])),
        iterate: (parameters: readonly unknown[]) => sqlite.iterate(sql, parameters),
      };
    },
  };
  return new SqliteDialect({ database });
}
