import type { Command } from 'commander';
import { constants } from 'node:fs';
import { access, mkdir, readFile, statfs } from 'node:fs/promises';
import { loadModel, sqlDirectory, withDatabase } from '../app.js';
import type { Config } from '../config/config.js';
import type { Database } from '../db/database.js';
import { migrationStatus } from '../db/migrate.js';
import { messageOf } from '../lib/errors.js';
import { loadPlugins } from '../plugins/load-plugins.js';
import { resolvePlugins } from '../plugins/resolve-plugins.js';
import { EXIT, type RegisterCommand } from './command.js';
import { printable } from '../lib/printable.js';

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  /** What was found and, when it is not well, how to mend it. */
  readonly message: string;
}

const OLDEST_POSTGRES = 140_000;
const CLOCK_TOLERANCE_SECONDS = 5;
const ENOUGH_WATCHES = 8192;

export const registerDoctor: RegisterCommand = (program, context) => {
  const { terminal } = context;
  program
    .command('doctor')
    .description('check configuration, database, directories, clock and limits; says how to mend')
    .action(async (_options: unknown, command: Command) => {
      const config = await context.loadConfig(command);
      const where = config.file ?? 'defaults only: there is no user-sync.yaml here';
      const findings: Finding[] = [{ check: 'configuration', ok: true, message: where }];
      findings.push(await checkModel(config));
      if (config.plugins.length > 0) findings.push(await checkPlugins(config));
      findings.push(...(await checkDirectories(config)));
      findings.push(await checkWatches());
      const logger = context.logger(config);
      findings.push(
        ...(await withDatabase(config, logger, checkDatabase).catch((error: unknown) => [
          { check: 'database', ok: false, message: messageOf(error) },
        ])),
      );
      await logger.close();
      if (findings.some((finding) => !finding.ok)) context.exitCode = EXIT.failed;
      if (context.wantsJson(command)) {
        terminal.json({ healthy: findings.every((finding) => finding.ok), findings });
        return;
      }
      for (const { check, ok, message } of findings) {
        const mark = ok ? terminal.style('ok  ', 'green') : terminal.style('MEND', 'red');
        terminal.print(`${mark}  ${check.padEnd(16)}${printable(message)}`);
      }
    });
};

async function checkModel(config: Config): Promise<Finding> {
  return loadModel(config.model).then(
    (model) => ({ check: 'model', ok: true, message: `${config.model}: ${model.groups.length} groups` }),
    (error: unknown) => ({ check: 'model', ok: false, message: messageOf(error) }),
  );
}

async function checkPlugins(config: Config): Promise<Finding> {
  try {
    const { modules } = await loadPlugins(resolvePlugins(config.plugins, config.directory));
    return { check: 'plugins', ok: true, message: modules.map(({ name }) => name).join(', ') };
  } catch (error) {
    return { check: 'plugins', ok: false, message: messageOf(error) };
  }
}

async function checkDirectories(config: Config): Promise<Finding[]> {
  const folders: [string, string][] = [
    ['data directory', config.dataDir],
    ...Object.entries(config.feeds).map(([name, feed]): [string, string] => [`drop of ${name}`, feed.dropDirectory]),
  ];
  return Promise.all(
    folders.map(async ([check, folder]) => {
      try {
        await mkdir(folder, { recursive: true });
        await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
        const { bavail, bsize } = await statfs(folder);
        const freeMib = Math.floor((bavail * bsize) / 1024 ** 2);
        if (freeMib >= 1024) return { check, ok: true, message: `${folder}: ${freeMib} MiB free` };
        return {
          check,
          ok: false,
          message: `${folder}: only ${freeMib} MiB free. A batch needs several times its size.`,
        };
      } catch (error) {
        return {
          check,
          ok: false,
          message: `${folder}: ${messageOf(error)}. Make it readable and writable for this user.`,
        };
      }
    }),
  );
}

async function checkWatches(): Promise<Finding> {
  const text = await readFile('/proc/sys/fs/inotify/max_user_watches', 'utf8').catch(() => undefined);
  if (text === undefined)
    return { check: 'file watcher', ok: true, message: 'no inotify on this system; scans find files' };
  const watches = Number(text);
  if (watches >= ENOUGH_WATCHES) return { check: 'file watcher', ok: true, message: `${watches} watches allowed` };
  return {
    check: 'file watcher',
    ok: false,
    message: `only ${watches} watches allowed: sysctl fs.inotify.max_user_watches=${ENOUGH_WATCHES}. Scans find files all the same.`,
  };
}

async function checkDatabase(database: Database): Promise<Finding[]> {
  // Opens a connection first: when that fails, the error says what to look at.
  await database.withConnection(async () => undefined);
  const [server] = await database.query<{ number: number; version: string; now: Date; max: number }>(
    `select current_setting('server_version_num')::integer as number, current_setting('server_version') as version,
            clock_timestamp() as now, current_setting('max_connections')::integer as max`,
  );
  if (server === undefined) return [];
  const skew = Math.abs(server.now.getTime() - Date.now()) / 1000;
  const { pending } = await migrationStatus(database, sqlDirectory());
  return [
    {
      check: 'database',
      ok: server.number >= OLDEST_POSTGRES,
      message: `Postgres ${server.version}${server.number >= OLDEST_POSTGRES ? '' : ': 14 or later is needed'}`,
    },
    {
      check: 'schema',
      // Whatever opens the database next brings it up to date.
      ok: true,
      message:
        pending.length === 0
          ? 'up to date'
          : `${pending.length} files to apply: \`user-sync migrate\`, or the next command`,
    },
    {
      check: 'clock',
      ok: skew <= CLOCK_TOLERANCE_SECONDS,
      message:
        skew <= CLOCK_TOLERANCE_SECONDS
          ? `agrees with the database`
          : `differs by ${skew.toFixed(0)} s from the database's: keep both in step with NTP`,
    },
  ];
}
