import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Terminal } from '../../src/cli/terminal.js';
import { Belongings } from './belongings.js';
import { Contest } from './contest.js';
import { Feeds } from './feeds.js';
import { measureGrowth, printGrowth, type Growth } from './growth.js';
import { describeMachine } from './machine.js';
import type { Measurement } from './measurement.js';
import { USAGE, readOptions, type Options } from './options.js';
import { printSummary, summarise } from './report.js';
import { BenchServer } from './server.js';

/**
 * The product against what an expert would write by hand, and against what most scripts do: `npm run bench`. All work on
 * one Postgres in one run, so that the ratios stay true on another machine; `--help` lists the flags.
 */

/** As shells expect of what a signal ended. */
const INTERRUPTED = 130;

const terminal = new Terminal({ stdout: process.stdout, stderr: process.stderr });

interface Site {
  readonly server: BenchServer;
  readonly folder: string;
  readonly options: Options;
  readonly belongings: Belongings;
  readonly signal: AbortSignal;
}

async function measure(options: Options, belongings: Belongings, signal: AbortSignal): Promise<void> {
  const folder = await mkdtemp(join(resolve(options.folder), 'user-sync-bench-'));
  belongings.keep(() => rm(folder, { recursive: true, force: true }));
  // Postgres may run as another user, who must get to its own folder.
  await chmod(folder, 0o755);
  const server = await BenchServer.open(folder, signal);
  belongings.keep(() => server.close());
  const site: Site = { server, folder, options, belongings, signal };
  const results = options.growth === undefined ? await contest(site) : await grow(site, options.growth);
  if (options.json === undefined) return;
  const machine = await describeMachine(server);
  const settings = { ...options, folder: undefined, json: undefined };
  await writeFile(options.json, `${JSON.stringify({ machine, settings, ...results }, null, 2)}\n`);
}

async function contest(site: Site): Promise<object> {
  const { server, options, signal } = site;
  const { users, rounds } = options;
  const folder = join(site.folder, 'feeds');
  await mkdir(folder);
  const measurements: Measurement[] = [];
  const differences: string[] = [];
  const contest = new Contest({
    ...site,
    feeds: new Feeds(folder, options, server.model, signal),
    onMeasured: (measurement) => {
      measurements.push(measurement);
      const { round, contestant, batch, format, seconds } = measurement;
      progress(`round ${round}/${rounds}  ${contestant.padEnd(7)}  ${batch.padEnd(9)}  ${format}`, seconds);
    },
  });
  for (let round = 1; round <= rounds; round += 1) {
    differences.push(...(await contest.round(round)).map((difference) => `round ${round}: ${difference}`));
  }
  const medians = summarise(measurements);
  terminal.print(`\n${users.toLocaleString('en')} users, medians of ${rounds} rounds`);
  printSummary(terminal, medians, users);
  if (differences.length > 0) {
    process.stderr.write('\nTHE FIGURES MEAN NOTHING: floor and product did not make the same directory.\n');
    process.stderr.write(`${differences.join('\n')}\n`);
    process.exitCode = 1;
  }
  return { medians, differences, measurements };
}

async function grow(site: Site, sizes: readonly number[]): Promise<object> {
  const grown: Growth[] = [];
  const onMeasured = ({ users, batch, seconds }: Growth): void => {
    progress(`${users.toLocaleString('en')} users  ${batch}`, seconds);
  };
  for (const users of sizes) grown.push(...(await measureGrowth({ ...site, onMeasured }, users)));
  terminal.print();
  printGrowth(terminal, grown);
  return { growth: grown };
}

function progress(what: string, seconds: number): void {
  process.stderr.write(`${what}  ${seconds.toFixed(2)} s\n`);
}

function options(): Options | undefined {
  try {
    const given = readOptions(process.argv.slice(2));
    if (given === undefined) process.stdout.write(USAGE);
    return given;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    process.exitCode = 2;
    return undefined;
  }
}

async function main(): Promise<void> {
  const given = options();
  if (given === undefined) return;
  const belongings = new Belongings();
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      process.stderr.write('\nInterrupted: cleaning up.\n');
      process.exitCode = INTERRUPTED;
      interruption.abort();
    });
  }
  try {
    await measure(given, belongings, interruption.signal);
  } catch (error) {
    // What fails because it was cut off is no news.
    if (!interruption.signal.aborted) throw error;
  } finally {
    await belongings.releaseAll();
  }
}

await main();
