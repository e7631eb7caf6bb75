import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import type { JOBS } from './database-thread.ts';
import { JobThread } from './job-thread.ts';

/**
 * A database whose queries run in a thread of their own, for `openDatabase`: the thread that asks goes on while the disk
 * makes a change durable.
 *
 * @param file path
 */
export function databaseInThread(file: string): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new ThreadDriver(file),
    createIntrospector: (database) => new SqliteIntrospector(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

/** One connection, which one caller has at a time: a transaction is several queries. */
class ThreadDriver implements Driver {
  readonly #thread: JobThread<typeof JOBS>;
  readonly #connection: DatabaseConnection;
  /** Settles when the one before has let go of the connection. */
  #free: Promise<void> = Promise.resolve();
  #release = () => {};

  constructor(file: string) {
    this.#thread = new JobThread(new URL('./database-thread.ts', import.meta.url), {
      name: 'database',
      workerData: file,
    });
    this.#connection = {
      executeQuery: <R>(query: CompiledQuery) => this.#execute<R>(query),
      streamQuery: () => {
        throw new Error('a database in a thread answers with all rows at once');
      },
    };
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#free;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#free = promise;
    await before;
    this.#release = resolve;
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {
    this.#release();
  }

  async beginTransaction(): Promise<void> {
    await this.#execute(CompiledQuery.raw('begin'));
  }

  async commitTransaction(): Promise<void> {
    await this.#execute(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(): Promise<void> {
    await this.#execute(CompiledQuery.raw('rollback'));
  }

  async destroy(): Promise<void> {
    // A thread that never opened the file has ended already.
    await this.#thread.run('close', null).catch(() => {});
    await this.#thread.close();
  }

  async #execute<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, changes, lastInsertRowid } = await this.#thread.run('query', { sql, parameters });
    return {
      rows: rows as R[],
      ...(changes !== undefined && { numAffectedRows: BigInt(changes) }),
      ...(lastInsertRowid !== undefined && { insertId: BigInt(lastInsertRowid) }),
    };
  }
}
