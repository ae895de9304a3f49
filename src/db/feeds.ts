import { createHash } from 'node:crypto';
import type { Executor } from './database.js';

export interface FeedRow {
  readonly id: number;
  readonly name: string;
  /** The control file in force, null while the feed has none. */
  readonly controlId: number | null;
}

export interface ControlFileRow {
  readonly id: number;
  readonly digest: string;
  readonly content: string;
}

export async function findFeed(database: Executor, name: string): Promise<FeedRow | undefined> {
  const [feed] = await database.query<FeedRow>(
    'select id, name, control_id as "controlId" from sync.feed where name = $1',
    [name],
  );
  return feed;
}

/** The feed that a user belongs to; undefined for a username that no feed has brought. */
export async function feedOfUser(database: Executor, username: string): Promise<string | undefined> {
  const [row] = await database.query<{ name: string }>(
    'select feed.name from sync.feed_user join sync.feed on feed.id = feed_user.feed_id where username = $1',
    [username],
  );
  return row?.name;
}

/** The feed of that name, made when it is met for the first time. */
export async function ensureFeed(database: Executor, name: string): Promise<FeedRow> {
  const [feed] = await database.query<FeedRow>(
    `with made as (
       insert into sync.feed (name) select $1
       where not exists (select from sync.feed where name = $1)
       on conflict (name) do nothing
       returning id, name, control_id
     )
     select id, name, control_id as "controlId" from made
     union all
     select id, name, control_id from sync.feed where name = $1`,
    [name],
  );
  // A feed made by another process at the same moment is there now.
  return feed ?? ensureFeed(database, name);
}

export async function controlFile(database: Executor, id: number): Promise<ControlFileRow | undefined> {
  const [row] = await database.query<ControlFileRow>(
    'select id, digest, content from sync.control_file where id = $1',
    [id],
  );
  return row;
}

/**
 * Names of the files that a kept control file lists, in its order. It was valid when it was kept, so its text can be
 * trusted; what the model or the plugins allow since makes no difference to them.
 */
export function listedIn({ content }: Pick<ControlFileRow, 'content'>): string[] {
  const text = content.startsWith('\uFEFF') ? content.slice(1) : content;
  const { files } = JSON.parse(text) as { readonly files: object };
  return Object.keys(files);
}

/**
 * Keeps a control file for a feed; the text that is in force already is not kept again.
 *
 * @param inForce whether later batches of the feed are to use it too.
 */
export async function putControlFile(
  database: Executor,
  feed: FeedRow,
  content: string,
  source: string,
  inForce: boolean,
): Promise<ControlFileRow> {
  const digest = createHash('sha256').update(content).digest('hex');
  const [row] = await database.query<ControlFileRow>(
    `with current as (
       select control_file.id, control_file.digest, control_file.content
       from sync.feed join sync.control_file on control_file.id = feed.control_id
       where feed.id = $1 and control_file.digest = $2
     ),
     added as (
       insert into sync.control_file (feed_id, digest, content, source)
       select $1, $2, $3, $4 where not exists (select from current)
       returning id, digest, content
     ),
     in_force as (
       update sync.feed set control_id = added.id from added where feed.id = $1 and $5::boolean
     )
     select id, digest, content from current union all select id, digest, content from added`,
    [feed.id, digest, content, source, inForce],
  );
  if (row === undefined) throw new Error('putControlFile returned nothing');
  return row;
}
