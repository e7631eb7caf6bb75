import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Migration } from 'kysely';
import { openDatabase } from './database.ts';

interface Tables {
  things: { id: number; name: string };
}

const migrations: Record<string, Migration> = {
  '1-things': {
    up: async (database) => {
      await database.schema
        .createTable('things')
        .addColumn('id', 'integer', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull().unique())
        .execute();
    },
  },
};

test('a database keeps its rows over a reopening and migrates once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lucid-database-'));
  const file = join(folder, 'deep/things.sqlite');
  const first = await openDatabase<Tables>(file, migrations);
  const inserted = await first.insertInto('things').values({ id: 1, name: 'one' }).returningAll().executeTakeFirst();
  assert.deepEqual({ ...inserted }, { id: 1, name: 'one' });
  const changed = await first.updateTable('things').set({ name: 'uno' }).where('id', '=', 1).executeTakeFirst();
  assert.equal(changed.numUpdatedRows, 1n);
  await first.destroy();
  const second = await openDatabase<Tables>(file, migrations);
  assert.deepEqual(
    (await second.selectFrom('things').selectAll().execute()).map((row) => row.name),
    ['uno'],
  );
  await second.destroy();
  rmSync(folder, { recursive: true });
});

test('a transaction that throws leaves nothing behind', async () => {
  const database = await openDatabase<Tables>(':memory:', migrations);
  const attempt = database.transaction().execute(async (transaction) => {
    await transaction.insertInto('things').values({ id: 1, name: 'one' }).execute();
    throw new Error('no');
  });
  await assert.rejects(attempt, /no/);
  assert.equal((await database.selectFrom('things').selectAll().execute()).length, 0);
  await database.destroy();
});

test('a file that is no database is refused, not overwritten', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lucid-database-'));
  const file = join(folder, 'x.sqlite');
  writeFileSync(file, 'this is a letter to a friend, long enough to have a header of its own');
  await assert.rejects(openDatabase<Tables>(file, migrations), /not a database/);
  rmSync(folder, { recursive: true });
});
