import { expect } from 'chai';
import fc from 'fast-check';
import { appendFile, rename, rm, writeFile } from 'node:fs/promises';
import { tickAfter } from '../../support/file-system-clock.js';
import { DropSite, SETTLE_MS } from '../../support/drop-site.js';

const NAMES = ['users.json', 'groups.1.csv', 'groups.2.csv'] as const;
type Name = (typeof NAMES)[number];

/** What a sender may do. */
type Deed =
  | { readonly kind: 'write' | 'rewrite' | 'append' | 'rename over' | 'delete'; readonly name: Name }
  | { readonly kind: 'move'; readonly name: Name; readonly to: Name };

type Step =
  | Deed
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'set clock'; readonly ms: number }
  /** `meanwhile` is done after the file was copied, while the handler records it. */
  | { readonly kind: 'scan'; readonly meanwhile: Deed | undefined };

const name = fc.constantFrom(...NAMES);
const deed: fc.Arbitrary<Deed> = fc.oneof(
  fc.record({ kind: fc.constantFrom('write', 'rewrite', 'append', 'rename over', 'delete'), name }),
  fc.record({ kind: fc.constant('move' as const), name, to: name }),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: deed },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 2500, 4999, 5000) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('set clock' as const), ms: fc.integer({ min: -1e10, max: 1e10 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('scan' as const),
      meanwhile: fc.option(deed, { nil: undefined, freq: 4 }),
    }),
  },
);

/** What stands in the directory, as somebody knows who does everything himself. */
interface Version {
  readonly content: string;
  readonly changedAtMs: number;
}

class Sender {
  readonly #site: DropSite;
  readonly there = new Map<Name, Version>();
  nowMs = 0;
  #written = 0;

  constructor(site: DropSite) {
    this.#site = site;
  }

  async do(one: Deed): Promise<void> {
    const path = this.#site.pathOf(one.name);
    const before = this.there.get(one.name);
    switch (one.kind) {
      case 'write':
      case 'rewrite':
        await writeFile(path, this.#changed(one.name, ''));
        break;
      case 'append':
        await appendFile(path, this.#changed(one.name, before?.content ?? '').slice(before?.content.length ?? 0));
        break;
      case 'rename over':
        await writeFile(this.#site.pathOf('.new'), this.#changed(one.name, ''));
        await rename(this.#site.pathOf('.new'), path);
        break;
      case 'delete':
        this.there.delete(one.name);
        await rm(path, { force: true });
        break;
      case 'move':
        if (before === undefined || one.to === one.name) break;
        this.there.delete(one.name);
        this.there.set(one.to, { content: before.content, changedAtMs: this.nowMs });
        await tickAfter(path);
        await rename(path, this.#site.pathOf(one.to));
        break;
    }
  }

  /** Each content is longer than the one before, since the clock of the file system may stand still between two. */
  #changed(file: Name, start: string): string {
    this.#written += 1;
    const content = `${start}${'x'.repeat(this.#written * 7)}${this.#written}`;
    this.there.set(file, { content, changedAtMs: this.nowMs });
    return content;
  }
}

describe('A drop directory, whatever its senders do', () => {
  it('takes each version that stayed, once, whole, and never before it was quiet', async () => {
    let tookSome = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        await using site = await DropSite.open();
        const sender = new Sender(site);
        let meanwhile: Deed | undefined;
        site.handler.answer = async (file) => {
          const from = NAMES.find((one) => one === file.originalFilename)!;
          const version = sender.there.get(from);
          expect(await site.stored(file.digest), 'what is taken is what is there').to.equal(version?.content);
          expect(sender.nowMs - version!.changedAtMs, 'how long it was quiet').to.be.at.least(SETTLE_MS);
          tookSome += 1;
          const then = meanwhile;
          meanwhile = undefined;
          if (then !== undefined) await sender.do(then);
          // The version taken is gone afterwards; one that came meanwhile is not.
          if (sender.there.get(from) === version) sender.there.delete(from);
          return { kind: 'taken' };
        };
        const wait = (ms: number): void => {
          site.wait(ms);
          sender.nowMs += ms;
        };
        for (const one of steps) {
          if (one.kind === 'wait') wait(one.ms);
          else if (one.kind === 'set clock') site.setClock(one.ms);
          else if (one.kind === 'scan') {
            meanwhile = one.meanwhile;
            await site.scan();
            meanwhile = undefined;
          } else await sender.do(one);
          expect(await site.left(), 'what stands there').to.deep.equal([...sender.there.keys()].sort());
        }
        await site.scan();
        wait(SETTLE_MS);
        await site.scan();
        expect([...sender.there.keys()], 'what was never taken').to.deep.equal([]);
        expect(await site.left()).to.deep.equal([]);
        expect(site.handler.told.filter((told) => !told.startsWith('file '))).to.deep.equal([]);
      }),
      { numRuns: 100 },
    );
    // How many there are is up to chance; that it is not none shows that the property is about something.
    expect(tookSome).to.be.greaterThan(30);
  });
});
