import { Client } from 'pg';
import { eventually } from './eventually.js';
import { WAITED_FOR_HERE } from './lock-waits.js';

/** Any number that nobody else uses for an advisory lock. */
const LOCK = 4711;

/**
 * The place of a run at which the gate is: while rows are copied, where differences are written down, at the end of planning,
 * while changes are applied.
 */
export type GatedPhase = 'stage' | 'changes' | 'plan' | 'apply';

/** The record at which a run waits while it is copied or applied, for control files of campaigns. */
export const GATE_RECORD = {
  u: 'gate',
  first: 'Ada',
  mail: 'gate@example.org',
  group: 'example:group:staff',
  books: ['A'],
};

const WAIT = `
  create function gate() returns trigger language plpgsql as $$
  begin
    perform pg_advisory_lock_shared(${LOCK});
    perform pg_advisory_unlock_shared(${LOCK});
    return new;
  end $$;`;

const TRIGGERS: Readonly<Record<GatedPhase, string>> = {
  // The table is the run's own, and made by it.
  stage: `
    create function gate_stage() returns event_trigger language plpgsql as $$
    declare made record;
    begin
      for made in select object_identity as name from pg_event_trigger_ddl_commands()
                  where object_identity ~ '^sync_stage\\.stage_[0-9]+$' and object_type = 'table' loop
        execute format('create trigger gate before insert on %s for each row when (new.username = ''gate'')
                        execute function public.gate()', made.name);
      end loop;
    end $$;
    create event trigger gate on ddl_command_end when tag in ('CREATE TABLE') execute function gate_stage();`,
  changes: 'create trigger gate before insert on sync.change for each statement execute function gate();',
  plan: 'create trigger gate before insert on sync.chunk for each statement execute function gate();',
  apply: `
    create trigger gate before insert on directory.account for each row when (new.email = 'gate@example.org')
    execute function gate();`,
};

/**
 * Holds every run in the middle of a statement in Postgres while it is closed. It is closed first, and opens by itself when
 * Postgres goes down.
 */
export class Gate implements AsyncDisposable {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  static async at(phase: GatedPhase, url: string): Promise<Gate> {
    const client = new Client({ connectionString: url, application_name: 'gate' });
    client.on('error', () => undefined);
    await client.connect();
    await client.query(WAIT + TRIGGERS[phase]);
    const gate = new Gate(client);
    await gate.close();
    return gate;
  }

  /** Resolves when a run stands before it. */
  async reached(): Promise<void> {
    await eventually('a run at the gate', async () => {
      const { rows } = await this.#client.query(`${WAITED_FOR_HERE} and locktype = 'advisory' and objid = ${LOCK}`);
      return rows.length > 0 || undefined;
    });
  }

  async close(): Promise<void> {
    await this.#client.query(`select pg_advisory_lock(${LOCK})`);
  }

  async open(): Promise<void> {
    await this.#client.query(`select pg_advisory_unlock(${LOCK})`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
  }
}
