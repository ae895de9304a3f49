import { expect } from 'chai';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { peakMemoryMib, resetPeakMemory } from '../../bench/process-gauges.js';
import { expectRejected, type BadRecord } from '../../support/bad-records.js';
import { BatchFormat } from '../../support/batch-formats.js';
import { BYSTANDERS, bystanders } from '../../support/bystanders.js';
import { crowd } from '../../support/crowd.js';
import { FeedsSite, readBy, unguardedFeeds } from '../../support/feeds-site.js';
import type { RunSeen } from '../../support/running-daemon.js';

const { JSON: JSON_ARRAY, TSV, XML, XML_ATTRIBUTES } = BatchFormat;

/** Each is a feed. */
const FORMATS = { json: JSON_ARRAY, tsv: TSV, xml: XML, attributes: XML_ATTRIBUTES };

type Feed = keyof typeof FORMATS;

const MIB = 1024 * 1024;
const DEEP = 100_000;
const KEY = 'k'.repeat(10 * MIB);
/** In so few characters that the record is not too long. */
const KEYS = Array.from({ length: 100_000 }, (_, index) => (36 ** 3 + index).toString(36));

/** What is too large in a file that costs next to nothing to send. */
const GZIP_RATIO = 2000;

/**
 * For all files of a test at once, beside what is in use anyway: less than one record of 300 MB would take as bytes and as
 * text.
 */
const MOST_MEMORY_MIB = 400;

describe('What is too large in a dropped file', function () {
  this.timeout(180_000);

  let feeds: FeedsSite;
  let expectNobodyElseTouched: () => Promise<void>;

  before(async () => {
    feeds = await FeedsSite.open(
      { ...unguardedFeeds(Object.keys(FORMATS)), guarded: { control: './attributes.json' }, ...BYSTANDERS },
      { formats: readBy(FORMATS), config: { limits: { gzipRatio: GZIP_RATIO } } },
    );
    expectNobodyElseTouched = await bystanders(feeds);
  });

  afterEach(() => expectNobodyElseTouched());

  after(() => feeds?.[Symbol.asyncDispose]());

  async function staysInMemory(work: () => Promise<unknown>): Promise<void> {
    const { pid } = feeds.daemon;
    await resetPeakMemory(pid);
    const before = await peakMemoryMib(pid);
    await work();
    const peak = await peakMemoryMib(pid);
    expect(peak! - before!, `MiB above ${before}`).to.be.lessThan(MOST_MEMORY_MIB);
  }

  it('loses records nested 100,000 deep, with 100,000 names, or a name of 10 MB, and no other', async () => {
    await staysInMemory(() =>
      Promise.all(
        Object.entries(TOO_LARGE).map(([feed, bad]) => expectRejected(feeds, feed, FORMATS[feed as Feed], bad)),
      ),
    );
  });

  it('is refused when its header has 100,000 names or one of 10 MB, or its nesting has no end', async () => {
    const tsv = TSV.write(crowd('tsv', 5, 'after'));
    const files: readonly (readonly [Feed, string, string, string])[] = [
      ['tsv', tsv.replace('\n', `\t${KEYS.join('\t')}\n`), 'bad-header', 'has more than 2000 names'],
      ['tsv', tsv.replace('\n', `\t${KEY}\n`), 'bad-header', 'is longer than 1048576 bytes'],
      ['json', `[{"a":${'['.repeat(2 * MIB)}${']'.repeat(2 * MIB)}}]`, 'malformed-file', 'line 1, byte 1 (record 1)'],
    ];
    await staysInMemory(async () => {
      for (const [feed, file, code, says] of files) {
        const failed = await feeds.take(feed, file);
        expect(failed, `${feed}: ${says}`).to.include({ status: 'failed', failureCode: code });
        expect(failed.failureMessage, feed).to.include(says);
      }
    });
  });

  it('loses a record of 300 MB, and no other, and takes hardly more memory for it', async () => {
    const formats = Object.entries({ json: JSON_ARRAY, xml: XML });
    const before = Object.fromEntries(
      await Promise.all(formats.map(async ([feed, format]) => [feed, await feeds.peopleOf(feed, format)] as const)),
    );
    await staysInMemory(() =>
      Promise.all(
        formats.map(async ([feed, format]) => {
          const after = crowd(feed, before[feed]!.length, 'after');
          const run = await (feed === 'json' ? takeHuge : takeHugeInGzip)(feed, format.write(after));
          expect(run, feed).to.include({ status: 'complete', outcome: 'applied' });
          expect(run.counts, feed).to.include({ updated: after.length - 1, rejected: 1, added: 0, blocked: 0 });
          const [error, ...others] = await feeds.errors(run);
          expect([error!.code, error!.username, error!.record, others.length], feed).to.deep.equal([
            'record-too-large',
            `${feed}-3`,
            3,
            0,
          ]);
          await feeds.expectPeople(feed, after.with(2, before[feed]![2]!));
        }),
      ),
    );
  });

  it('holds the run when it leaves no username to read, so that nobody is blocked', async () => {
    const before = crowd('guarded', 10, 'before');
    await feeds.begin('guarded', before, XML_ATTRIBUTES);
    const held = await takeHugeInGzip('guarded', XML_ATTRIBUTES.write(before), 10);
    expect([held.status, held.breached]).to.deep.equal(['held', ['file-size', 'unreadable-usernames']]);
    expect((await feeds.errors(held)).map(({ code, username, record }) => [code, username, record])).to.deep.equal([
      ['record-too-large', null, 3],
    ]);
    await feeds.expectPeople('guarded', before);
  });

  /** The file with 300 MB in the third record, written piece by piece. */
  async function takeHuge(feed: string, file: string): Promise<RunSeen> {
    const [head = '', tail = ''] = file.split(/(?<=Last3)/);
    const stream = createWriteStream(feeds.pathOf(feed, '.users'));
    stream.write(head);
    for (let written = 0; written < 300; written += 1) if (!stream.write(PIECE)) await once(stream, 'drain');
    stream.end(tail);
    await once(stream, 'finish');
    return feeds.takeWritten(feed);
  }

  /** The same, as one member of gzip after the other. */
  function takeHugeInGzip(feed: string, file: string, pieces = 300): Promise<RunSeen> {
    const [head = '', tail = ''] = file.split(/(?<=Last3)/);
    const piece = gzipSync(PIECE);
    return feeds.take(
      feed,
      Buffer.concat([gzipSync(head), ...Array.from({ length: pieces }, () => piece), gzipSync(tail)]),
    );
  }
});

const PIECE = Buffer.alloc(MIB, 'x');

/** A record with something before the end of its text. */
function withLast(what: string, last: string, code: string, end: RegExp): BadRecord {
  return { what, make: (good) => good.replace(end, `${last}$&`), code };
}

const IN_JSON = [
  withLast('arrays', `,"MORE":${'['.repeat(DEEP)}${']'.repeat(DEEP)}`, 'too-deep', /\}$/),
  withLast('names', `,${KEYS.map((key) => `"${key}":0`).join(',')}`, 'too-many-keys', /\}$/),
  withLast('a long name', `,"${KEY}":0`, 'record-too-large', /\}$/),
];

const TOO_LARGE: Partial<Record<Feed, readonly BadRecord[]>> = {
  json: IN_JSON,
  xml: [
    withLast('elements', `${'<a>'.repeat(DEEP)}${'</a>'.repeat(DEEP)}`, 'too-deep', /<\/user>$/),
    withLast('names', KEYS.map((key) => `<k${key}/>`).join(''), 'too-many-keys', /<\/user>$/),
    withLast('a long name', `<${KEY}/>`, 'record-too-large', /<\/user>$/),
  ],
  attributes: [withLast('names', KEYS.map((key) => ` k${key}=""`).join(''), 'too-many-keys', /\/>$/)],
};
