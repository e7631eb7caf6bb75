import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Dialect, Migration } from 'kysely';
import { openDatabase } from './database.ts';
import { databaseInThread } from './thread/database-in-thread.ts';

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

const DIALECTS: Record<string, ((file: string) => Dialect) | undefined> = {
  'in this thread': undefined,
  'in a thread of its own': databaseInThread,
};

for (const [where, dialect] of Object.entries(DIALECTS)) {
  describe(`a database ${where}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'lucid-database-'));
    after(() => rmSync(folder, { recursive: true }));
    const open = (file: string) => openDatabase<Tables>(file, migrations, dialect);

    test('keeps its rows over a reopening and migrates once', async () => {
      const file = join(folder, 'deep/things.sqlite');
      const first = await open(file);
      const inserted = await first
        .insertInto('things')
        .values({ id: 1, name: 'one' })
        .returningAll()
        .executeTakeFirst();
      assert.deepEqual({ ...inserted }, { id: 1, name: 'one' });
      const changed = await first.updateTable('things').set({ name: 'uno' }).where('id', '=', 1).executeTakeFirst();
      assert.equal(changed.numUpdatedRows, 1n);
      await first.destroy();
      const second = await open(file);
      const rows = await second.selectFrom('things').selectAll().execute();
      assert.deepEqual(
        rows.map((row) => row.name),
        ['uno'],
      );
      await second.destroy();
    });

    test('leaves nothing behind of a transaction that throws', async () => {
      const database = await open(':memory:');
      const attempt = database.transaction().execute(async (transaction) => {
        await transaction.insertInto('things').values({ id: 1, name: 'one' }).execute();
        throw new Error('no');
      });
      await assert.rejects(attempt, /no/);
      assert.equal((await database.selectFrom('things').selectAll().execute()).length, 0);
      await database.destroy();
    });

    test('keeps transactions that are begun at the same time apart', async () => {
      const database = await open(':memory:');
      const add = (id: number, fails: boolean) =>
        database.transaction().execute(async (transaction) => {
          await transaction
            .insertInto('things')
            .values({ id, name: `first ${id}` })
            .execute();
          if (fails) throw new Error('no');
          await transaction
            .updateTable('things')
            .set({ name: `second ${id}` })
            .where('id', '=', id)
            .execute();
        });
      await Promise.allSettled([add(1, false), add(2, true), add(3, false)]);
      const rows = await database.selectFrom('things').selectAll().orderBy('id').execute();
      assert.deepEqual(
        rows.map((row) => row.name),
        ['second 1', 'second 3'],
      );
      await database.destroy();
    });

    test('names what a statement does wrong, and goes on', async () => {
      const database = await open(':memory:');
      await database.insertInto('things').values({ id: 1, name: 'one' }).execute();
      await assert.rejects(database.insertInto('things').values({ id: 2, name: 'one' }).execute(), /UNIQUE/);
      assert.equal((await database.selectFrom('things').selectAll().execute()).length, 1);
      await database.destroy();
    });

    test('refuses a file that is none, and does not overwrite it', async () => {
      const file = join(folder, 'x.sqlite');
      writeFileSync(file, 'this is a letter to a friend, long enough to have a header of its own');
      await assert.rejects(open(file), /not a database/);
    });
  });
}
