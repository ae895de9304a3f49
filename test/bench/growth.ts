import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Terminal } from '../../src/cli/terminal.js';
import { assertCounts } from './contest.js';
import type { Batch } from './feed.js';
import { Feeds } from './feeds.js';
import { PRODUCT_DATABASE, openProduct, type ProductSite } from './open-product.js';
import type { Options } from './options.js';
import type { ProductTimes } from './product.js';
import { fixed, numbersFrom } from './report.js';

export interface Growth extends ProductTimes {
  readonly users: number;
  readonly batch: Batch;
}

export interface GrowthSite extends ProductSite {
  readonly options: Options;
  readonly onMeasured: (growth: Growth) => void;
}

/** The product alone, at one size: the first batch, and the same people again. */
export async function measureGrowth(site: GrowthSite, users: number): Promise<Growth[]> {
  const { server, options, signal } = site;
  const folder = join(site.folder, `growth-${users}`);
  await mkdir(folder);
  const feeds = new Feeds(folder, { ...options, users }, server.model, signal);
  const { product, close } = await openProduct(site, 'json', await feeds.controlText('json'));
  const grown: Growth[] = [];
  for (const batch of ['first', 'unchanged'] as const) {
    const file = await feeds.file(batch, 'json');
    await server.query('checkpoint');
    const times = await product.takeIn(file);
    assertCounts(times.counts, batch, feeds);
    await server.settle(PRODUCT_DATABASE);
    const growth = { users, batch, ...times };
    grown.push(growth);
    site.onMeasured(growth);
  }
  await close();
  await feeds.remove();
  return grown;
}

export function printGrowth(terminal: Terminal, grown: readonly Growth[]): void {
  const head = ['batch', 'users', 's', 's per million', 'stage s', 'plan s', 'apply s', 'RSS MiB', 'loop p99 ms'];
  const body = grown
    .toSorted((left, right) => left.batch.localeCompare(right.batch) || left.users - right.users)
    .map(({ batch, users, seconds, phases, peakRssMib, eventLoopP99Ms }) => [
      batch,
      users.toLocaleString('en'),
      fixed(seconds, 2),
      fixed((seconds * 1e6) / users, 2),
      fixed(phases.stage, 2),
      fixed(phases.plan, 2),
      fixed(phases.apply, 2),
      fixed(peakRssMib ?? undefined, 0),
      fixed(eventLoopP99Ms ?? undefined, 1),
    ]);
  terminal.table(head, body, numbersFrom(1, head));
}
