import type { Command } from 'commander';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { addOperator } from '../access/operators.js';
import { newSecret } from '../access/secrets.js';
import { App } from '../app.js';
import type { Config } from '../config/config.js';
import { number } from '../domain/number-text.js';
import { listOperators } from '../db/operators.js';
import { packageRoot, packageVersion } from '../lib/package-root.js';
import { reportRun } from '../sync/run-report.js';
import { submitBatch } from '../sync/submit.js';
import { executeRun } from '../sync/pipeline.js';
import { parseCount, type CommandContext, type RegisterCommand } from './command.js';
import { DEMO_DAYS, writeDemoBatch } from './demo/feed.js';
import { listen } from './http-server.js';
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
    // Any port that is free: the page's address is printed.
    http: { ...config.http, port: 0, publicUrl: undefined },
    feeds: { default: { ...config.feeds.default, dropDirectory: join(dataDir, 'drop', 'default') } },
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
      by: 'demo',
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
  await serveDemo(context, app, json);
}

/** The web page, and a daemon that takes in what is dropped, until Ctrl-C. */
async function serveDemo({ terminal, signal }: CommandContext, app: App, json: boolean): Promise<void> {
  const password = newSecret();
  if ((await listOperators(app.database)).length === 0) {
    await addOperator(app.database, { name: 'demo', role: 'admin', password }, { by: 'demo' });
  }
  const { Daemon } = await import('../daemon/daemon.js');
  const daemon = new Daemon(app);
  const server = await listen({ app, daemon, version: packageVersion() });
  daemon.start();
  if (json) terminal.json({ url: server.origin, name: 'demo', password });
  else {
    terminal.print();
    terminal.print(terminal.style('Until Ctrl-C:', 'bold'));
    terminal.print(`  the web page     ${server.origin}  (name: demo, password: ${password})`);
    terminal.print(`  the drop folder  ${app.config.feeds.default.dropDirectory}  (drop another users.json)`);
    terminal.print(
      `  the directory    psql ${app.databaseUrl} -c 'select username, is_active, groups from directory.users limit 5'`,
    );
  }
  try {
    await once(signal, 'abort');
  } finally {
    server.drain();
    await daemon.stop();
    await server.close();
  }
}
