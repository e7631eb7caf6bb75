import { type Kysely, type SelectQueryBuilder, sql } from 'kysely';
import { ServiceError } from '#contract/errors.ts';
import type { SESSION_SORTS, SessionQuery, SessionState } from '#contract/session-pipeline.ts';
import type { Tables } from './database.ts';
import type { Row } from './session-store.ts';

type Sort = NonNullable<SessionQuery['sort']>;

const DEFAULT_SORT: Sort = '-created_at';

/** Column and direction of a sort. */
function parseSort(sort: Sort = DEFAULT_SORT): { field: (typeof SESSION_SORTS)[number]; down: boolean } {
  const down = sort.startsWith('-');
  return { field: (down ? sort.slice(1) : sort) as (typeof SESSION_SORTS)[number], down };
}

/** The cursor that asks for what comes after `row`: its place in the sort. */
export function cursorOf(row: Row, sort?: Sort): string {
  const { field } = parseSort(sort);
  return Buffer.from(JSON.stringify([row[field] ?? '', row.id])).toString('base64url');
}

function parseCursor(cursor: string): [value: string, id: string] {
  try {
    const [value, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (typeof value === 'string' && typeof id === 'string') return [value, id];
  } catch {
    // Told below.
  }
  throw new ServiceError('invalid_request', 'cursor: wants the next_cursor of the page before');
}

/** The sessions that a query asks for, sorted, from its cursor on. */
export function selectSessions(
  database: Kysely<Tables>,
  query: SessionQuery,
): SelectQueryBuilder<Tables, 'sessions', Row> {
  const { field, down } = parseSort(query.sort);
  const key = sql`coalesce(${sql.ref(field)}, '')`;
  let select = database.selectFrom('sessions').selectAll();
  if (query.state) select = select.where('state', 'in', query.state.split(',') as SessionState[]);
  if (query.user_id) select = select.where('user_id', '=', query.user_id);
  if (query.server_id) select = select.where('server_id', '=', query.server_id);
  if (query.recorder_id) select = select.where('recorder_id', '=', query.recorder_id);
  if (query.priority) select = select.where('priority', '=', query.priority);
  if (query.connected !== undefined) select = select.where('connection_id', query.connected ? 'is not' : 'is', null);
  if (query.name) select = select.where(sql<boolean>`instr(lower(name), lower(${query.name})) > 0`);
  if (query.created_from) select = select.where('created_at', '>=', utc(query.created_from));
  if (query.created_before) select = select.where('created_at', '<', utc(query.created_before));
  if (query.label) {
    const [label, value] = split(query.label);
    const fits = value === null ? sql`` : sql`and value = ${value}`;
    select = select.where(sql<boolean>`exists (select 1 from json_each(labels) where key = ${label} ${fits})`);
  }
  if (query.cursor) {
    const [value, id] = parseCursor(query.cursor);
    select = select.where(sql<boolean>`(${key}, id) ${sql.raw(down ? '<' : '>')} (${value}, ${id})`);
  }
  return select.orderBy(key, down ? 'desc' : 'asc').orderBy('id', down ? 'desc' : 'asc');
}

/** A time as it is stored: UTC, to the millisecond. */
function utc(time: string): string {
  return new Date(time).toISOString();
}

/** A label, and the value after its first =, if it has one. */
function split(label: string): [label: string, value: string | null] {
  const at = label.indexOf('=');
  return at < 0 ? [label, null] : [label.slice(0, at), label.slice(at + 1)];
}
