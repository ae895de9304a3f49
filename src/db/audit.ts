import type { Database, Executor } from './database.js';

export interface AuditEntry {
  readonly actor: string;
  readonly action: string;
  /** What it was done to: a run, a feed, a username, a key. */
  readonly subject?: string;
  /** Names and numbers; never a value of a record. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Where the request came from. */
  readonly address?: string;
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

export async function noteAudit(database: Executor, entry: AuditEntry): Promise<void> {
  await database.query(
    'insert into sync.audit (actor, action, subject, details, address) values ($1, $2, $3, $4::jsonb, $5)',
    [entry.actor, entry.action, entry.subject ?? null, JSON.stringify(entry.details ?? {}), entry.address ?? null],
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
