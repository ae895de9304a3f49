import type { Database, Executor } from './database.js';

/** A control file that a feed has, or had. */
export interface ControlVersion {
  readonly id: number;
  readonly digest: string;
  readonly source: string;
  readonly createdAt: Date;
  readonly inForce: boolean;
}

/** Newest first. */
export function listControlFiles(
  database: Database,
  feed: string,
  { before, limit }: { readonly before?: number | undefined; readonly limit: number },
): Promise<ControlVersion[]> {
  return database.list<ControlVersion & Record<string, unknown>>((builder) => {
    const list = builder
      .select('control_file.id', 'control_file.digest', 'control_file.source')
      .select({ createdAt: 'control_file.created_at' })
      .select(builder.raw('control_file.id is not distinct from feed.control_id as "inForce"'))
      .from('sync.control_file')
      .join('sync.feed', 'feed.id', 'control_file.feed_id')
      .where('feed.name', feed)
      .orderBy('control_file.id', 'desc')
      .limit(limit);
    if (before !== undefined) void list.where('control_file.id', '<', before);
    return list;
  });
}

/** @param id of the feed's control file, or `current` for the one in force */
export async function findControlFile(
  database: Executor,
  feed: string,
  id: number | 'current',
): Promise<(ControlVersion & { readonly content: string }) | undefined> {
  const [row] = await database.query<ControlVersion & { content: string }>(
    `select control_file.id, control_file.digest, control_file.source, control_file.content,
            control_file.created_at as "createdAt", control_file.id is not distinct from feed.control_id as "inForce"
     from sync.control_file join sync.feed on feed.id = control_file.feed_id
     where feed.name = $1 and control_file.id = coalesce($2::bigint, feed.control_id)`,
    [feed, id === 'current' ? null : id],
  );
  return row;
}
