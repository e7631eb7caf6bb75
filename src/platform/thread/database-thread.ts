/** A thread that waits for a database's disk. */
import type { SQLInputValue } from 'node:sqlite';
import { workerData } from 'node:worker_threads';
import { Sqlite } from '../sqlite.ts';
import { serveJobs } from './serve-jobs.ts';

export interface Query {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

export interface Outcome {
  readonly rows: readonly unknown[];
  readonly changes?: number | bigint;
  readonly lastInsertRowid?: number | bigint;
}

const sqlite = new Sqlite(workerData);

export const JOBS = {
  query({ sql, parameters }: Query): Outcome {
    const { statement, reader } = sqlite.prepare(sql);
    const values = parameters as SQLInputValue[];
    return reader ? { rows: statement.all(...values) } : { rows: [], ...statement.run(...values) };
  },
  close(_: null): void {
    sqlite.close();
  },
};

serveJobs(JOBS);
