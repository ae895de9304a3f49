import type { Database, Executor } from './database.js';

/** Who does something, for the books. */
export interface Author {
  /** A person's name, `key HR`, `command line`. */
  readonly by: string;
  /** Where the request came from. */
  readonly address?: string;
  /** Whom the operating system knows who called a command as. */
  readonly osUser?: string;
}

export interface Deed {
  readonly action: string;
  /** What it was done to: a run, a feed, a username, a key. */
  readonly subject?: string;
  /** Names and numbers; never a value of a record. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface AuditRow {
  readonly id: number;
  readonly at: Date;
  readonly actor: string;
  readonly action: string;
  readonly subject: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  readonly address: string | null;
}

/** To be called in the transaction of what is noted: what cannot be noted is not done. */
export async function noteAudit(
  database: Executor,
  { by, address, osUser }: Author,
  { action, subject, details }: Deed,
): Promise<void> {
  await database.query(
    'insert into sync.audit (actor, action, subject, details, address) values ($1, $2, $3, $4::jsonb, $5)',
    [by, action, subject ?? null, JSON.stringify({ ...details, osUser }), address ?? null],
  );
}

/** Newest first; `before` is the cursor of a page. */
export function listAudit(
  database: Database,
  { before, limit, subject }: { before?: number; limit: number; subject?: string },
): Promise<AuditRow[]> {
  return database.list<AuditRow & Record<string, unknown>>((builder) => {
    const list = builder
      .select('id', 'at', 'actor', 'action', 'subject', 'details', 'address')
      .from('sync.audit')
      .orderBy('id', 'desc')
      .limit(limit);
    if (before !== undefined) void list.where('id', '<', before);
    if (subject !== undefined) void list.where('subject', subject);
    return list;
  });
}
