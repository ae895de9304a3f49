import { expect } from 'chai';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { appendFile, link, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { tickAfter } from '../support/file-system-clock.js';
import { DropSite } from '../support/drop-site.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { fuzz, FUZZ_TIMEOUT_MS } from './fuzzing.js';

/** That versions are taken once, and when, is held against a model in drop-directory.property.test.ts. */

const NAMES = ['users.json', 'groups.1.csv', 'groups.2.csv'] as const;
type Name = (typeof NAMES)[number];

const DEEDS = [
  ...(['write', 'append', 'rename over', 'put temporary', 'finish temporary', 'delete', 'move'] as const),
  ...(['marker', 'right sidecar', 'wrong sidecar', 'no sidecar', 'delete companions'] as const),
  ...(['link', 'link as marker', 'link as sidecar', 'second name', 'delete second name', 'directory'] as const),
];
const SECRET = 'what nobody sent';
const PATIENCE_MS = 10 * 60 * 1000;
/** What stays for ever: not meant for us, not a file, or without its file. */
const MAY_STAY = /^\.|\.(?:part|done|sha256)$/;
const HARMLESS = ['directory-ignored', 'ignored-for-long'];

interface Deed {
  readonly kind: (typeof DEEDS)[number];
  readonly name: Name;
  readonly to: Name;
  /** How many turns of the event loop go by before. */
  readonly turns: number;
}

type Step =
  | { readonly kind: 'wait'; readonly ms: number }
  /** What is done beside a scan, at any of its moments. */
  | { readonly kind: 'scan'; readonly meanwhile: readonly Deed[] }
  | { readonly kind: 'do'; readonly deed: Deed };

const name = fc.constantFrom(...NAMES);
const deed: fc.Arbitrary<Deed> = fc.record({
  kind: fc.constantFrom(...DEEDS.slice(0, 5), ...DEEDS),
  name,
  to: name,
  turns: fc.integer({ min: 0, max: 12 }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('do' as const), deed }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 2500, 5000, PATIENCE_MS) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('scan' as const), meanwhile: fc.array(deed, { maxLength: 4 }) }),
  },
);

function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Does whatever a sender may do, and knows what he left where. */
class Sender {
  /** The content of each file that the sender has not removed, overwritten or renamed himself. */
  readonly there = new Map<string, string>();
  /** Every content that a file ever had. */
  readonly meant = new Set<string>();
  readonly #site: DropSite;
  readonly #elsewhere: string;
  #written = 0;

  constructor(site: DropSite, elsewhere: string) {
    this.#site = site;
    this.#elsewhere = elsewhere;
  }

  /** One after the other. What earlier deeds or a scan have made impossible is not done. */
  async tryAll(deeds: readonly Deed[]): Promise<void> {
    for (const one of deeds) {
      for (let turn = 0; turn < one.turns; turn++) await nextTurn();
      try {
        await this.#do(one);
      } catch (error) {
        if (!(error instanceof Error && 'syscall' in error)) throw error;
      }
    }
  }

  async #do({ kind, name, to }: Deed): Promise<void> {
    const path = this.#site.pathOf(name);
    const hidden = join(this.#elsewhere, name);
    const temporary = `${name}.part`;
    switch (kind) {
      case 'write':
        return this.#write(name);
      case 'append': {
        const before = this.there.get(name);
        if (before === undefined) return this.#write(name);
        const added = this.#next(before).slice(before.length);
        // It may be taken meanwhile; then what is added stands there alone.
        this.meant.add(added);
        await tickAfter(path);
        await appendFile(path, added);
        this.there.set(name, await readFile(path, 'utf8'));
        return;
      }
      case 'rename over':
        await this.#write('.new');
        return this.#rename('.new', name);
      case 'put temporary':
        return this.#write(temporary);
      case 'finish temporary':
        return this.#rename(temporary, name);
      case 'delete':
        await rm(path);
        this.there.delete(name);
        return;
      case 'move':
        return this.#rename(name, to);
      case 'marker':
        return this.#put(`${path}.done`, '');
      case 'right sidecar':
        return this.#put(`${path}.sha256`, `${sha256(this.there.get(name) ?? '')}  ${name}\n`);
      case 'wrong sidecar':
        return this.#put(`${path}.sha256`, sha256('something else'));
      case 'no sidecar':
        return this.#put(`${path}.sha256`, 'no digest');
      case 'delete companions':
        await rm(`${path}.sha256`, { force: true });
        return rm(`${path}.done`, { force: true });
      case 'link':
        await this.#linkTo(path);
        this.there.delete(name);
        return;
      case 'link as marker':
        return this.#linkTo(`${path}.done`);
      case 'link as sidecar':
        return this.#linkTo(`${path}.sha256`);
      case 'second name':
        return link(path, hidden);
      case 'delete second name':
        return rm(hidden);
      case 'directory':
        return mkdir(path);
    }
  }

  async #linkTo(path: string): Promise<void> {
    await symlink(join(this.#elsewhere, 'secret'), `${path}.new.part`);
    await rename(`${path}.new.part`, path);
  }

  /** Each content is longer than the one before, since the clock of the file system may stand still between two. */
  #next(start: string): string {
    this.#written += 1;
    const content = `${start}${'x'.repeat(this.#written * 7)}${this.#written}`;
    this.meant.add(content);
    return content;
  }

  async #write(name: string): Promise<void> {
    const path = this.#site.pathOf(name);
    const content = this.#next('');
    await tickAfter(path).catch(() => undefined);
    await this.#put(path, content);
    this.there.set(name, content);
  }

  /** Never through a link, which would be the sender's own. */
  async #put(path: string, content: string): Promise<void> {
    await writeFile(`${path}.whole.part`, content);
    await rename(`${path}.whole.part`, path);
  }

  async #rename(from: string, to: string): Promise<void> {
    if (from === to) return;
    await tickAfter(this.#site.pathOf(from));
    await rename(this.#site.pathOf(from), this.#site.pathOf(to));
    const content = this.there.get(from);
    this.there.delete(from);
    this.there.delete(to);
    if (content !== undefined) this.there.set(to, content);
  }
}

describe('A drop directory, whatever is done in it at the same time', function () {
  this.timeout(FUZZ_TIMEOUT_MS);

  it('gives whole files that were sent, follows no link, and loses nothing', async () => {
    const seen = { taken: 0, quarantined: 0 };
    await fuzz('drop directories', { atLeast: 10 }, fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      await using elsewhere = await temporaryFolder({ secret: SECRET });
      await using site = await DropSite.open();
      const sender = new Sender(site, elsewhere.path);
      const wrong: string[] = [];
      let isAlone = true;
      site.handler.answer = async ({ digest, originalFilename }) => {
        const content = await site.stored(digest);
        if (!sender.meant.has(content)) wrong.push(`nobody sent ${content}`);
        const sidecar = await readFile(site.pathOf(`${originalFilename}.sha256`), 'utf8').catch(() => undefined);
        const isVouched = sidecar === undefined || sidecar === SECRET || sidecar.slice(0, 64) === digest;
        if (isAlone && !isVouched) wrong.push(`${originalFilename} is not what its sidecar says`);
        return { kind: 'taken' };
      };
      for (const one of steps) {
        if (one.kind === 'wait') site.wait(one.ms);
        else if (one.kind === 'do') await sender.tryAll([one.deed]);
        else {
          isAlone = one.meanwhile.length === 0;
          await Promise.all([site.scan(), sender.tryAll(one.meanwhile)]);
          isAlone = true;
        }
      }
      await site.settle();
      site.wait(PATIENCE_MS);
      await site.settle();
      expect(wrong).to.deep.equal([]);
      const left = await site.left();
      const stands = left.filter((one) => !MAY_STAY.test(one));
      const directories = site.handler.warnings.filter(({ code }) => code === 'directory-ignored').length;
      expect(stands.length, `what stands there: ${stands.join()}`).to.be.at.most(directories);
      const taken = await site.taken();
      const asideNames = site.handler.quarantined.map(({ originalFilename }) => originalFilename);
      const lost = [...sender.there].filter(
        ([name, content]) => !taken.includes(content) && !asideNames.includes(name) && !left.includes(name),
      );
      expect(lost).to.deep.equal([]);
      expect(await readFile(join(elsewhere.path, 'secret'), 'utf8')).to.equal(SECRET);
      expect(await site.store.has(sha256(SECRET))).to.equal(false);
      expect(site.warningCodes.filter((code) => !HARMLESS.includes(code))).to.deep.equal([]);
      seen.taken += taken.length;
      seen.quarantined += asideNames.length;
    });
    for (const [what, count] of Object.entries(seen)) expect(count, what).to.be.greaterThan(5);
  });
});
