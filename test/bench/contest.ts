import { setTimeout as delay } from 'node:timers/promises';
import type { RunCounts } from '../../src/domain/run.js';
import { differencesOf, directoryState } from './directory-state.js';
import { BATCHES, expectedOf, type Batch } from './feed.js';
import type { Format } from './feed-file.js';
import type { Feeds } from './feeds.js';
import { Floor } from './floor.js';
import type { Measurement } from './measurement.js';
import type { Options } from './options.js';
import { PRODUCT_DATABASE, openProduct, type ProductSite } from './open-product.js';
import type { Product } from './product.js';
import { RowByRow } from './row-by-row.js';

/** Until what the last measurement set off in the background has calmed down. */
const PAUSE_MS = 1000;

const FLOOR_DATABASE = 'floor';
const ROWS_DATABASE = 'rows';

export interface ContestSite extends ProductSite {
  readonly feeds: Feeds;
  readonly options: Options;
  readonly onMeasured: (measurement: Measurement) => void;
}

/** The contestants in turns: batch by batch, so that what else the machine does falls on all of them. */
export class Contest {
  readonly #site: ContestSite;

  constructor(site: ContestSite) {
    this.#site = site;
  }

  /**
   * Everything once, in fresh databases.
   *
   * @param round from 1; who begins takes turns
   * @returns what differs between the directories that the contestants made: nothing, or the figures mean nothing
   */
  async round(round: number): Promise<string[]> {
    const { options } = this.#site;
    const differences = options.formats.includes('json') ? await this.#json(round) : [];
    for (const format of options.formats.filter((format) => format !== 'json')) await this.#format(round, format);
    return differences;
  }

  async #json(round: number): Promise<string[]> {
    const { server, options } = this.#site;
    const contestants = options.contestants.filter((one) => one === 'floor' || one === 'product');
    if (round % 2 === 0) contestants.reverse();
    const floor = contestants.includes('floor') ? await this.#floor() : undefined;
    const product = contestants.includes('product') ? await this.#product('json') : undefined;
    const scripts = options.contestants.filter((one) => one === 'careful' || one === 'rows');
    for (const batch of BATCHES) {
      for (const contestant of contestants) {
        if (contestant === 'floor' && floor !== undefined) await this.#measureFloor(round, batch, floor);
        if (contestant === 'product' && product !== undefined) {
          await this.#measureProduct(round, batch, 'json', product.product);
        }
      }
      if (scripts.length > 0 && batch === 'first') await server.copy(FLOOR_DATABASE, ROWS_DATABASE);
      // Who compares first makes a difference where there is something to compare.
      if (scripts.includes('careful') && batch === 'unchanged') await this.#measureScript(round, batch, 'careful');
      if (scripts.includes('rows')) await this.#measureScript(round, batch, 'rows');
    }
    const differences =
      floor === undefined || product === undefined
        ? []
        : differencesOf(await directoryState(server, FLOOR_DATABASE), await directoryState(server, PRODUCT_DATABASE));
    await product?.close();
    for (const name of [ROWS_DATABASE, FLOOR_DATABASE]) await server.drop(name);
    return differences;
  }

  /** How the product reads another format: the rest of its work is the same. */
  async #format(round: number, format: Format): Promise<void> {
    const { product, close } = await this.#product(format);
    for (const batch of ['first', 'unchanged'] as const) await this.#measureProduct(round, batch, format, product);
    await close();
  }

  async #floor(): Promise<Floor> {
    const { server, feeds } = this.#site;
    const { ownerUrl } = await server.create(FLOOR_DATABASE);
    const floor = new Floor(ownerUrl, server.model);
    await floor.prepare(await feeds.controlText('json'));
    return floor;
  }

  async #product(format: Format): Promise<Awaited<ReturnType<typeof openProduct>>> {
    return openProduct(this.#site, format, await this.#site.feeds.controlText(format));
  }

  async #measureFloor(round: number, batch: Batch, floor: Floor): Promise<void> {
    const { feeds } = this.#site;
    const file = await feeds.preparedRows(batch);
    await this.#calm();
    const seconds = await floor.takeIn(file);
    this.#measured({ round, contestant: 'floor', batch, format: 'json', seconds });
    await this.#site.server.settle(FLOOR_DATABASE);
  }

  async #measureProduct(round: number, batch: Batch, format: Format, product: Product): Promise<void> {
    const { feeds } = this.#site;
    const file = await feeds.file(batch, format);
    await this.#calm();
    const { counts, ...times } = await product.takeIn(file);
    assertCounts(counts, batch, feeds);
    this.#measured({ round, contestant: 'product', batch, format, ...times });
    await this.#site.server.settle(PRODUCT_DATABASE);
  }

  async #measureScript(round: number, batch: Batch, contestant: 'rows' | 'careful'): Promise<void> {
    const { server, feeds } = this.#site;
    const { file, records } = await feeds.sample(batch);
    const isCareful = contestant === 'careful';
    const script = new RowByRow(server.urlOf(ROWS_DATABASE), await feeds.mapping(), server.model, isCareful);
    await this.#calm();
    const { seconds, written } = await script.takeIn(file);
    if (written !== (isCareful ? 0 : records))
      throw new Error(`row by row wrote ${written} of ${records} users of the batch '${batch}'`);
    const scaled = (seconds * feeds.people.users) / records;
    this.#measured({ round, contestant, batch, format: 'json', seconds: scaled, sample: records });
  }

  async #calm(): Promise<void> {
    await this.#site.server.query('checkpoint');
    await delay(PAUSE_MS, undefined, { signal: this.#site.signal });
  }

  #measured(measurement: Omit<Measurement, 'users'>): void {
    this.#site.onMeasured({ ...measurement, users: this.#site.feeds.people.users });
  }
}

/** @throws Error when the product did something else than what the generator asked for */
export function assertCounts(counts: RunCounts, batch: Batch, { people }: Feeds): void {
  for (const [name, expected] of Object.entries({ ...expectedOf(batch, people), rejected: 0 })) {
    const found = counts[name as keyof RunCounts];
    if (found !== expected) {
      throw new Error(`the product counts ${found} ${name} in the batch '${batch}', and not ${expected}`);
    }
  }
}
