import type { Command } from 'commander';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { App } from '../app.js';
import type { Config } from '../config/config.js';
import { number } from '../domain/number-text.js';
import { packageRoot } from '../lib/package-root.js';
import { reportRun } from '../sync/run-report.js';
import { submitBatch } from '../sync/submit.js';
import { executeRun } from '../sync/pipeline.js';
import { parseCount, type CommandContext, type RegisterCommand } from './command.js';
import { DEMO_DAYS, writeDemoBatch } from './demo/feed.js';
import { ProgressLine } from './progress-line.js';
import { printRun } from './run-text.js';

interface DemoOptions {
  users: number;
  seed: number;
  exit?: boolean;
  dataDir?: string;
}

const APPROVAL = { by: 'demo', reason: 'a demonstration', withoutBlocks: false };

export const registerDemo: RegisterCommand = (program, context) => {
  program
    .command('demo')
    .description('try it: embedded Postgres, a generated feed of fictional people, three batches of it')
    .option('--users <N>', 'how many people', parseCount, 1000)
    .option('--seed <S>', 'another seed gives other people', parseCount, 1)
    .option('--data-dir <DIR>', 'keep the data there; a temporary folder unless told')
    .option('--exit', 'end after the last batch instead of waiting for Ctrl-C')
    .action(async (options: DemoOptions, command: Command) => {
      const config = await context.loadConfig(command);
      const dataDir = options.dataDir === undefined ? await temporaryDataDir() : resolve(options.dataDir);
      const logger = context.logger(config);
      try {
        const app = await App.open(demoConfig(config, dataDir), logger);
        try {
          await runDemo(context, app, options, context.wantsJson(command), dataDir);
        } finally {
          await app.close();
        }
      } finally {
        await logger.close();
        if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
      }
    });
};

/** Others may pass through, though not look: as root, the embedded Postgres runs as another user. */
async function temporaryDataDir(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'user-sync-demo-'));
  await chmod(dataDir, 0o711);
  return dataDir;
}

/** Whatever is configured, a demo has its own database, model and feed, and no plugins. */
function demoConfig(config: Config, dataDir: string): Config {
  return {
    ...config,
    dataDir,
    model: join(packageRoot(), 'config', 'model.json'),
    plugins: [],
    database: { poolSize: config.database.poolSize },
  };
}

async function runDemo(
  context: CommandContext,
  app: App,
  options: DemoOptions,
  json: boolean,
  dataDir: string,
): Promise<void> {
  const { terminal } = context;
  const { users, seed } = options;
  const control = await readFile(join(packageRoot(), 'config', 'examples', 'control.json'), 'utf8');
  if (!json) terminal.print(`A feed of ${number(users)} fictional people and an embedded Postgres in ${dataDir}.`);
  for (const [day, title] of DEMO_DAYS.entries()) {
    const path = join(dataDir, `users.day-${day + 1}.json`);
    await writeDemoBatch(path, day, seed, users);
    if (!json) {
      const { size } = await stat(path);
      terminal.print();
      terminal.print(terminal.style(`Batch ${day + 1}: ${title}`, 'bold') + ` (${number(size)} bytes)`);
    }
    const runId = await submitBatch(app.sync, {
      feed: 'default',
      files: [{ name: 'users', path }],
      control: { text: control, what: 'The control file of the demo' },
      dryRun: false,
      force: false,
      source: 'demo',
      signal: context.signal,
    });
    const progress = new ProgressLine(terminal);
    const run = await executeRun(app.sync, runId, {
      settings: await app.feedSettings('default'),
      // The first batch of a feed is held until somebody approves it, and so is whatever breaches a guard.
      approval: APPROVAL,
      actor: 'demo',
      signal: context.signal,
      onProgress: progress.update,
    }).finally(() => {
      progress.end();
    });
    const report = await reportRun(app.database, run);
    if (json) terminal.json(report);
    else printRun(terminal, report);
  }
  if (options.exit === true || context.signal.aborted) return;
  if (!json) {
    terminal.print();
    terminal.print('The directory, for psql and applications, until Ctrl-C:');
    terminal.print(
      `  psql ${app.databaseUrl} -c 'select username, is_active, groups, profile_types from directory.users limit 5'`,
    );
  }
  // Only timers and sockets keep a process alive; waiting for a signal does not.
  const awake = setInterval(() => undefined, 60_000);
  await once(context.signal, 'abort');
  clearInterval(awake);
}
