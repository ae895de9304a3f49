import { expect } from 'chai';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  addsUp,
  CAMPAIGN_CONTROL,
  CAMPAIGN_MODEL,
  campaignBatch,
  countedTwice,
  drop,
  plainDirectory,
  randomOf,
} from './campaign.js';
import { Site } from './cli.js';
import { GATE_RECORD } from './gate.js';
import type { TestDatabase } from './postgres.js';
import type { RunSeen } from './running-daemon.js';
import { SyncHarness } from './sync.js';

/** A site for real daemons with a fast feed, and beside it an engine that nothing disturbs, to compare with. */
export class CampaignSite implements AsyncDisposable {
  readonly #random = randomOf(20261125);

  private constructor(
    readonly site: Site,
    readonly reference: SyncHarness,
  ) {}

  /** @param database of a server that the test owns; else one of the tests' own server */
  static async open(options: { config?: object; feed?: object; database?: TestDatabase } = {}): Promise<CampaignSite> {
    const undisturbed = await SyncHarness.open({ control: CAMPAIGN_CONTROL });
    const site = await Site.open({
      control: CAMPAIGN_CONTROL,
      model: './model.json',
      feed: {
        guards: 'off',
        settleMs: 0,
        scanIntervalMs: 100,
        chunkSize: 7,
        concurrency: 2,
        ...options.feed,
      },
      ...(options.config === undefined ? {} : { config: options.config }),
      ...(options.database === undefined ? {} : { database: options.database }),
    });
    await site.write('model.json', CAMPAIGN_MODEL);
    const campaign = new CampaignSite(site, undisturbed.withModel(CAMPAIGN_MODEL));
    await mkdir(campaign.dropDirectory, { recursive: true });
    return campaign;
  }

  get dropDirectory(): string {
    return join(this.site.folder, 'var', 'drop', 'default');
  }

  /** Of an administrator: for what is done to the daemon. */
  get url(): string {
    return this.site.testDatabase.administrator.url;
  }

  /** The next batch, with the record for a gate in its middle. */
  batch(): object[] {
    const batch = campaignBatch(this.#random);
    return batch.toSpliced(Math.floor(batch.length / 2), 0, GATE_RECORD);
  }

  async drop(batch: readonly object[]): Promise<void> {
    await drop(this.dropDirectory, 'users.json', batch);
  }

  /** The run is complete as if nothing had disturbed it, and so is the directory; nobody is counted twice. */
  async expectUndisturbed(run: RunSeen, batch: readonly object[]): Promise<void> {
    const expected = await this.reference.sync(batch);
    const what = `run ${run.id}: ${run.failureMessage ?? ''}`;
    expect(run.status, what).to.equal('complete');
    expect(run.counts, what).to.deep.equal(expected.counts);
    expect(addsUp(expected.counts), what).to.equal(true);
    const { database } = this.site.testDatabase;
    expect(await plainDirectory(database), what).to.deep.equal(await plainDirectory(this.reference.database));
    expect(await countedTwice(database), what).to.deep.equal([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.site[Symbol.asyncDispose]();
    await this.reference[Symbol.asyncDispose]();
  }
}
