import type { BenchServer } from './server.js';

/** What is in a database after all batches, by table: rows and a checksum that does not depend on their order. */
export interface TableState {
  readonly rows: number;
  readonly checksum: string;
}

/** Each gives one column `row`, as text, without what differs by nature: ids, refs, times, numbers of runs. */
const CONTENTS: Readonly<Record<string, string>> = {
  users: `
    select jsonb_build_array(feed_user.username, account.email, account.title, account.name_first, account.name_last,
             account.is_active, account.tags, account.dictionaries, object.types, object.attributes, member.groups)::text
    from directory.account
    left join sync.feed_user on feed_user.account_id = account.id
    left join directory.object on object.ref = account.profile_ref
    left join (select account_id, array_agg(group_code order by group_code) as groups
               from directory.membership group by account_id) as member on member.account_id = account.id`,
  objects: `select jsonb_build_array(types, attributes)::text from directory.object`,
  memberships: `
    select feed_user.username || ' ' || membership.group_code
    from directory.membership join sync.feed_user on feed_user.account_id = membership.account_id`,
  feed_user: `select concat_ws(' ', username, digest, in_feed, in_error, look_again) from sync.feed_user`,
  received: `select concat_ws(' ', username, file, record, line, byte, accepted, raw) from sync.received`,
  changes: `
    select jsonb_build_array(kind, username, digest, withheld, before, after)::text from sync.change`,
};

export async function directoryState(server: BenchServer, database: string): Promise<Map<string, TableState>> {
  const states = new Map<string, TableState>();
  for (const [table, contents] of Object.entries(CONTENTS)) {
    const [state] = await server.query<TableState>(
      `select count(*)::integer as rows, coalesce(sum(hashtextextended(row, 0)), 0)::text as checksum
       from (${contents}) as contents (row)`,
      database,
    );
    if (state !== undefined) states.set(table, state);
  }
  return states;
}

/** @returns a line for each table that differs. */
export function differencesOf(left: ReadonlyMap<string, TableState>, right: ReadonlyMap<string, TableState>): string[] {
  return Object.keys(CONTENTS).flatMap((table) => {
    const [one, other] = [left.get(table), right.get(table)];
    if (one !== undefined && one.rows === other?.rows && one.checksum === other.checksum) return [];
    return [`${table}: ${describe(one)} against ${describe(other)}`];
  });
}

function describe(state: TableState | undefined): string {
  return state === undefined ? 'nothing' : `${state.rows} rows with checksum ${state.checksum}`;
}
