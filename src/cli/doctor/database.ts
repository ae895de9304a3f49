import { sqlDirectory } from '../../app.js';
import type { Config } from '../../config/config.js';
import { SPARE_CONNECTIONS, turnsOf, type Database } from '../../db/database.js';
import { migrationStatus } from '../../db/migrate.js';
import { ownRights, schemaRole } from '../../db/rights.js';
import { describeProblem } from '../../lib/errors.js';
import type { ControlLanguage } from '../../plugins/control-language.js';
import { validateControl } from '../../sync/control.js';
import { differsFrom } from '../check.js';
import { bad, good, type Finding } from './finding.js';

const OLDEST_POSTGRES = 140_000;
const CLOCK_TOLERANCE_SECONDS = 5;
const SHOWN_RIGHTS = 3;

/**
 * The server, its clock and the schema; and, when the schema is there, what waits for somebody in it.
 *
 * @param language what control files may say; undefined while model or plugins cannot be loaded
 */
export async function checkDatabase(
  database: Database,
  config: Config,
  language: ControlLanguage | undefined,
): Promise<Finding[]> {
  // Opens a connection first: when that fails, the error says what to look at.
  await database.withConnection(async () => undefined);
  const [server] = await database.query<{ number: number; version: string; now: Date; max: number }>(
    `select current_setting('server_version_num')::integer as number, current_setting('server_version') as version,
            clock_timestamp() as now,
            current_setting('max_connections')::integer
              - current_setting('superuser_reserved_connections')::integer as max`,
  );
  if (server === undefined) return [];
  const { pending } = await migrationStatus(database, sqlDirectory());
  return [
    server.number >= OLDEST_POSTGRES
      ? good('database', `Postgres ${server.version}`)
      : bad('database', `Postgres ${server.version}: 14 or later is needed`),
    connections(server.max, config),
    clock(server.now),
    await schema(database, pending),
    ...(pending.length === 0 ? await checkWhatIsThere(database, config, language) : []),
  ];
}

async function checkWhatIsThere(
  database: Database,
  config: Config,
  language: ControlLanguage | undefined,
): Promise<Finding[]> {
  const { role, isOwner, missing } = await ownRights(database);
  if (missing.length > 0) {
    const more = missing.length > SHOWN_RIGHTS ? ` and ${missing.length - SHOWN_RIGHTS} more` : '';
    const lacks = missing.slice(0, SHOWN_RIGHTS).join(', ') + more;
    const mend = `As the role that owns the schemas: \`user-sync migrate --grant-to ${role}\`.`;
    return [bad('rights', `The role "${role}" lacks ${lacks}. ${mend}`)];
  }
  // The embedded one is this program's own.
  const hasRoom = isOwner && config.database.url !== undefined;
  return [
    good(
      'rights',
      hasRoom
        ? `"${role}" owns the schemas and may do more than the daemon needs (docs/operations.md#the-database-roles)`
        : `"${role}" has what is needed`,
    ),
    ...(await checkFeeds(database, config, language)),
  ];
}

async function schema(database: Database, pending: readonly string[]): Promise<Finding> {
  if (pending.length === 0) return good('schema', 'up to date');
  const { role, mayMigrate } = await schemaRole(database);
  const what = `${pending.length} files to apply`;
  // Whatever opens the database next brings it up to date, if it may.
  if (mayMigrate) return good('schema', `${what}: \`user-sync migrate\`, or the next command`);
  return bad('schema', `${what}, which "${role}" may not: run \`user-sync migrate\` as the role that owns the schemas`);
}

function connections(max: number, { database: { poolSize }, feeds }: Config): Finding {
  if (poolSize > max / 2) {
    return bad(
      'connections',
      `database.poolSize is ${poolSize} of the ${max} that the server allows all its clients: lower it, or raise max_connections.`,
    );
  }
  const writers = turnsOf(poolSize);
  const short = Object.entries(feeds).filter(([, { concurrency }]) => concurrency > writers);
  if (short.length === 0) return good('connections', `${poolSize} of ${max} at most`);
  const wanted = Math.max(...short.map(([, { concurrency }]) => concurrency)) + SPARE_CONNECTIONS;
  return bad(
    'connections',
    `database.poolSize ${poolSize} lets ${writers} write at once, fewer than concurrency of ${short.map(([name]) => name).join(', ')}: ` +
      `set poolSize to ${wanted}, or lower concurrency.`,
  );
}

function clock(server: Date): Finding {
  const skew = Math.abs(server.getTime() - Date.now()) / 1000;
  if (skew <= CLOCK_TOLERANCE_SECONDS) return good('clock', 'agrees with the database');
  return bad('clock', `differs by ${skew.toFixed(0)} s from the database's: keep both in step with NTP`);
}

async function checkFeeds(
  database: Database,
  config: Config,
  language: ControlLanguage | undefined,
): Promise<Finding[]> {
  const rows = await database.query<{
    name: string;
    /** The content of the one in force. */
    control: string | null;
    held: number[];
    users: boolean;
    settings: string[];
  }>(
    `select feed.name, (select content from sync.control_file where id = feed.control_id) as control,
            array(select run.id::integer from sync.run where run.feed_id = feed.id and run.status = 'held' order by 1) as held,
            exists (select from sync.feed_user where feed_user.feed_id = feed.id) as users,
            array(select jsonb_object_keys(feed.settings) order by 1) as settings
     from sync.feed order by feed.name`,
  );
  const known = new Map(rows.map((row) => [row.name, row]));
  const configured = Object.entries(config.feeds).map(async ([name, feed]) => {
    const row = known.get(name);
    const check = `feed ${name}`;
    const inForce = row?.control ?? null;
    if (inForce === null && feed.control === undefined) {
      return bad(check, 'has no control file: drop one as _control.json, or name one as `control`. Its files wait.');
    }
    const unusable = inForce === null || language === undefined ? undefined : whyUnusable(inForce, language);
    if (unusable !== undefined) return bad(check, unusable);
    const notes = [
      ...(row === undefined || row.held.length === 0 ? [] : [`run ${row.held.join(', ')} waits for a decision`]),
      ...(row === undefined || row.settings.length === 0 ? [] : [`set by operators: ${row.settings.join(', ')}`]),
      ...(inForce !== null && feed.control !== undefined && (await differsFrom(feed.control, inForce))
        ? [`${feed.control} is not the control file in force: drop it as _control.json if it should be`]
        : []),
    ];
    return good(check, notes.join('; ') || 'has a control file');
  });
  const lost = rows
    .filter(({ name, users }) => users && config.feeds[name] === undefined)
    .map(({ name }) =>
      bad(`feed ${name}`, 'has users, and the configuration does not name it any more: nobody looks after it.'),
    );
  return [...(await Promise.all(configured)), ...lost];
}

/** A control file in force was valid when it came; the model or the plugins may have changed since. */
function whyUnusable(inForce: string, language: ControlLanguage): string | undefined {
  const { control, problems } = validateControl(inForce, language);
  if (control !== null) return undefined;
  const [first, ...more] = problems.filter(({ severity }) => severity === 'error').map(describeProblem);
  const others = more.length === 0 ? '' : ` (and ${more.length} more)`;
  return `its control file in force cannot be used with this model and these plugins, so its files wait: ${first ?? ''}${others}. Drop a good one as _control.json.`;
}
