import type { Connection } from './database.js';

/** A file of a drop directory, apart from every other one that was ever there. */
export interface DroppedOriginal {
  /** The name by which a control file lists it; `_control` for a control file. */
  readonly name: string;
  readonly digest: string;
  /** By what the file system tells it from others of that name. */
  readonly original: string;
}

/**
 * Notes that a dropped file is on record, in the transaction that records it.
 *
 * @returns false when it is already
 */
export async function noteDropped(
  connection: Connection,
  feedId: number,
  { name, digest, original }: DroppedOriginal,
): Promise<boolean> {
  const noted = await connection.query(
    `insert into sync.dropped_file (feed_id, name, digest, original) values ($1, $2, $3, $4)
     on conflict do nothing returning feed_id`,
    [feedId, name, digest, original],
  );
  return noted.length > 0;
}
