import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { Site } from '../support/cli.js';
import { readDocuments } from '../support/docs-markdown.js';
import { eventually } from '../support/eventually.js';
import { Shell, comparable, stepsOf, type Step } from '../support/tutorial.js';

const PORT = 'http://127.0.0.1:8080';

/** What a reader of the page sees in the place of the test's own folder. */
const HOME = '/home/ida';

describe('docs/first-hour.md', () => {
  const steps = stepsOf(readDocuments().get('docs/first-hour.md') ?? '');

  it('has commands with what they print, and the files they need', () => {
    expect(steps.filter(({ kind }) => kind === 'file')).to.have.length(1);
    expect(steps.filter((step) => step.kind === 'command' && step.output !== undefined)).to.have.length.greaterThan(15);
  });

  it('can be typed as it stands, from an empty folder to the daemon', async () => {
    await using reader = await Reader.open();
    for (const step of steps) {
      const printed = await reader.follow(step);
      if (step.kind === 'command' && step.output !== undefined) {
        expect(comparable(printed), step.command).to.equal(comparable(step.output));
      }
    }
    expect(reader.sawDaemon).to.equal(true);
  }).timeout(180_000);
});

/** Somebody who types what a page shows. */
class Reader implements AsyncDisposable {
  #origin = PORT;
  #runs = 0;

  private constructor(
    private readonly site: Site,
    private readonly shell: Shell,
  ) {}

  static async open(): Promise<Reader> {
    const site = await Site.open();
    const environment = {
      PATH: [await site.programFolder(), process.env['PATH'] ?? ''].join(delimiter),
      LC_ALL: 'C.UTF-8',
      // The page needs none; a server that is there already saves the test time.
      DATABASE_URL: site.testDatabase.url,
    };
    return new Reader(site, new Shell(site.folder, environment));
  }

  get sawDaemon(): boolean {
    return this.#origin !== PORT;
  }

  /** What the step printed, as the page would show it. */
  async follow(step: Step): Promise<string> {
    if (step.kind === 'file') {
      await this.site.write(join('school', step.name), step.text);
      return '';
    }
    const printed = await this.shell.run(step.command.replaceAll(PORT, this.#origin));
    await this.#waitFor(step.command);
    return printed.replaceAll(this.site.folder, HOME).replaceAll(this.#origin, PORT);
  }

  /** What a reader sees happen before going on. */
  async #waitFor(command: string): Promise<void> {
    // The port of the page may be taken on this machine.
    if (command.startsWith('user-sync init')) await this.#takeAnyPort();
    if (command.startsWith('user-sync serve')) this.#origin = await this.#daemonIsReady();
    const isDrop = command.includes('.done');
    const isBatch = isDrop || command.includes('start-sync');
    this.#runs = await eventually(`what follows from ${command}`, async () => {
      const [seen] = await this.site.query<{ runs: number; busy: number }>(
        `select count(*)::integer as runs,
                count(*) filter (where status not in ('held', 'complete', 'failed', 'cancelled'))::integer as busy
         from sync.run`,
      );
      const { runs = 0, busy = 0 } = seen ?? {};
      return (isBatch && busy > 0) || (isDrop && runs === this.#runs) ? undefined : runs;
    });
  }

  async #takeAnyPort(): Promise<void> {
    const file = join('school', 'user-sync.yaml');
    const text = await readFile(join(this.site.folder, file), 'utf8');
    await this.site.write(file, text.replace('port: 8080', 'port: 0'));
  }

  async #daemonIsReady(): Promise<string> {
    return eventually('a daemon that looks after the feed', async () => {
      const log = await readFile(join(this.site.folder, 'school', 'serve.log'), 'utf8').catch(() => '');
      if (!log.includes('looks after the feed')) return undefined;
      return /"origin":"([^"]+)"/.exec(log)?.[1];
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shell[Symbol.asyncDispose]();
    await this.site[Symbol.asyncDispose]();
  }
}
