import type { RecordLogEntry } from '../domain/record.js';
import type { Database, Executor } from './database.js';

/** An entry of a run's log. */
export interface RunLogEntry {
  readonly at: Date;
  readonly level: 'info' | 'warn' | 'error';
  readonly code: string | null;
  readonly message: string;
  readonly username: string | null;
  readonly file: string | null;
  readonly record: number | null;
  readonly line: number | null;
  readonly byte: number | null;
  readonly source: string | null;
  /** Part of the record: for those only who may see received data. */
  readonly value: string | null;
}

/** Writes what is wrong with some records, in one statement. */
export async function insertErrors(
  database: Executor,
  runId: number,
  errors: readonly RecordLogEntry[],
): Promise<void> {
  if (errors.length === 0) return;
  await database.query(
    `insert into sync.run_log (run_id, level, code, message, username, file, record, line, byte, source, value)
     select $1::bigint, 'error', code, message, username, file, record, line, byte, source, value
     from json_to_recordset($2::json) as entry
       (code text, message text, username text, file text, record integer, line integer, byte bigint,
        source text, value text)`,
    [runId, JSON.stringify(errors)],
  );
}

export async function logRun(
  database: Executor,
  runId: number,
  level: RunLogEntry['level'],
  message: string,
  code: string | null = null,
): Promise<void> {
  await database.query('insert into sync.run_log (run_id, level, code, message) values ($1, $2, $3, $4)', [
    runId,
    level,
    code,
    message,
  ]);
}

export async function countErrors(database: Executor, runId: number): Promise<number> {
  return Object.values(await errorsByCode(database, runId)).reduce((sum, count) => sum + count, 0);
}

export async function errorsByCode(database: Executor, runId: number): Promise<Record<string, number>> {
  const rows = await database.query<{ code: string; count: number }>(
    `select coalesce(code, 'none') as code, count(*) as count from sync.run_log
     where run_id = $1 and level = 'error' group by 1 order by 1`,
    [runId],
  );
  return Object.fromEntries(rows.map(({ code, count }) => [code, count]));
}

/** Forgets what an earlier attempt at planning wrote: the records, or the changes to be taken back, are looked at again. */
export async function clearRecordErrors(database: Executor, runId: number): Promise<void> {
  await database.query(
    `delete from sync.run_log
     where run_id = $1 and (record is not null or code = 'database' or (code = 'changed-since' and level = 'error'))`,
    [runId],
  );
}

const PAGE_SIZE = 1000;

/** Reads a run's log in order, a page at a time: it may be long. */
export async function* readLog(
  database: Database,
  runId: number,
  filter: { errorsOnly?: boolean; username?: string } = {},
): AsyncGenerator<RunLogEntry> {
  const { errorsOnly, username } = filter;
  const levels = errorsOnly === true ? { levels: ['error'] as const } : {};
  for (let after = 0; ;) {
    const who = username === undefined ? {} : { username };
    const page = await logPage(database, runId, { ...levels, ...who, after, limit: PAGE_SIZE });
    for (const { id, ...entry } of page) {
      after = id;
      yield entry;
    }
    if (page.length < PAGE_SIZE) return;
  }
}

export interface LogFilter {
  readonly levels?: readonly RunLogEntry['level'][];
  readonly username?: string;
  /** Part of a message, username or code. Not of a value: a search must not tell what is not shown. */
  readonly text?: string;
  /** Only entries behind this one: the cursor of a page. */
  readonly after: number;
  readonly limit: number;
}

/** Part of a run's log, in order. */
export function logPage(
  database: Database,
  runId: number,
  { levels, username, text, after, limit }: LogFilter,
): Promise<(RunLogEntry & { readonly id: number })[]> {
  return database.list<RunLogEntry & { id: number }>((builder) => {
    const list = builder
      .select('id', 'at', 'level', 'code', 'message', 'username', 'file', 'record', 'line', 'byte', 'source', 'value')
      .from('sync.run_log')
      .where('run_id', runId)
      .where('id', '>', after)
      .orderBy('id')
      .limit(limit);
    if (levels !== undefined) void list.whereIn('level', levels);
    if (username !== undefined) void list.where('username', username);
    if (text !== undefined)
      void list.whereRaw(
        `position(lower(?) in lower(concat_ws(' ', message, coalesce(username, ''), coalesce(code, '')))) > 0`,
        [text],
      );
    return list;
  });
}

export async function countLog(database: Executor, runId: number): Promise<Record<RunLogEntry['level'], number>> {
  const rows = await database.query<{ level: RunLogEntry['level']; count: number }>(
    'select level, count(*) as count from sync.run_log where run_id = $1 group by level',
    [runId],
  );
  const counts = { info: 0, warn: 0, error: 0 };
  for (const { level, count } of rows) counts[level] = count;
  return counts;
}
