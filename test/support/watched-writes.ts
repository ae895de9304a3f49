import { expect } from 'chai';
import type { Database } from '../../src/db/database.js';
import type { TestDatabase } from './postgres.js';

/** Slow enough that faults find something to disturb. */
const CHUNK_SECONDS = 0.02;
const PLAN_SECONDS = 0.1;

const WATCH = `
  create table public.written (
    id bigint generated always as identity, what text, run bigint, chunk integer, writer text, holder text);
  create function public.note_chunk() returns trigger language plpgsql security definer as $$
  begin
    insert into public.written (what, run, chunk, writer, holder)
    select 'chunk', new.run_id, new.first_ordinal, current_setting('application_name'), feed.lease_holder
    from sync.run join sync.feed on feed.id = run.feed_id where run.id = new.run_id;
    perform pg_sleep(${CHUNK_SECONDS});
    return null;
  end $$;
  create function public.note_plan() returns trigger language plpgsql security definer as $$
  begin
    insert into public.written (what, run, chunk, writer, holder)
    select distinct 'plan', planned.run_id, 0, current_setting('application_name'), feed.lease_holder
    from planned join sync.run on run.id = planned.run_id join sync.feed on feed.id = run.feed_id;
    perform pg_sleep(${PLAN_SECONDS});
    return null;
  end $$;
  create trigger note_chunk after update of applied_at on sync.chunk for each row
    when (new.applied_at is not null) execute function public.note_chunk();
  create trigger note_plan after insert on sync.change referencing new table as planned
    for each statement execute function public.note_plan();`;

interface Written extends Record<string, unknown> {
  readonly id: number;
  readonly what: 'plan' | 'chunk';
  readonly run: number;
  readonly chunk: number;
  readonly writer: string;
  readonly holder: string | null;
}

/**
 * Has the database itself note which process plans and applies, and who held the feed then: in the transaction that does
 * it, so that nothing is noted of what is rolled back. Processes are told apart by the name under which they connect.
 */
export class WatchedWrites {
  readonly #pids = new Map<string, number>();
  #names = 0;

  private constructor(
    private readonly database: Database,
    private readonly url: string,
  ) {}

  static async on({ administrator, url }: TestDatabase): Promise<WatchedWrites> {
    await administrator.database.query(WATCH);
    return new WatchedWrites(administrator.database, url);
  }

  /** The environment for a process of its own, and how it is known once it runs. */
  introduce(): { readonly environment: NodeJS.ProcessEnv; readonly name: string } {
    this.#names += 1;
    const name = `user-sync ${this.#names}`;
    const url = new URL(this.url);
    url.searchParams.set('application_name', name);
    return { environment: { DATABASE_URL: url.href }, name };
  }

  runsAs(name: string, pid: number): void {
    this.#pids.set(name, pid);
  }

  /** Ends some connections of these processes, but of those that are to be spared. */
  async endConnections(share: number, spared: readonly number[]): Promise<void> {
    const names = [...this.#pids].filter(([, pid]) => !spared.includes(pid)).map(([name]) => name);
    await this.database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name = any ($2::text[]) and random() < $1`,
      [share, names],
    );
  }

  /** Nobody wrote who did not hold the feed, and nothing was applied for a second time. */
  async expectFenced(): Promise<void> {
    const written = await this.database.query<Written>('select * from public.written order by id');
    const applied = new Set<string>();
    for (const { what, run, chunk, writer, holder } of written) {
      const whom = `${what} of run ${run} at ${chunk}, written by ${writer}`;
      expect(Number(holder?.split(':')[1]), `${whom} while ${holder ?? 'nobody'} held the feed`).to.equal(
        this.#pids.get(writer),
      );
      if (what === 'plan') continue;
      expect(applied.has(`${run} ${chunk}`), `${whom} for a second time`).to.equal(false);
      applied.add(`${run} ${chunk}`);
    }
  }
}
