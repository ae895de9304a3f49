import { expect } from 'chai';
import { expectRejected, type BadRecord, type Encoding } from '../../support/bad-records.js';
import { BatchFormat, utf16, utf8, type Encode } from '../../support/batch-formats.js';
import { BYSTANDERS, bystanders } from '../../support/bystanders.js';
import type { Person } from '../../support/cli.js';
import { crowd } from '../../support/crowd.js';
import { CROWD_SIZE, FeedsSite, readBy, unguardedFeeds } from '../../support/feeds-site.js';

const { JSON: JSON_ARRAY, TSV, CSV, XML } = BatchFormat;

/** Each is a feed. */
const FORMATS = { json: JSON_ARRAY, tsv: TSV, csv: CSV, xml: XML };

type Feed = keyof typeof FORMATS;

const GREEK = 'windows-1253';

/** Feeds of files in a charset of one byte a character. */
const ONE_BYTE = {
  'western-tsv': { format: TSV, charset: 'windows-1252' },
  'greek-csv': { format: CSV, charset: GREEK },
  'greek-xml': { format: XML, declared: GREEK },
};

/** As the stage reads files from the store. */
const CHUNK_BYTES = 256 * 1024;

const latin1: Encode = (text) => Buffer.from(text, 'latin1');
const bigEndian: Encode = (text) => utf16(text).swap16();
const MARK = '\ufeff';

describe('Text in a dropped file', function () {
  this.timeout(60_000);

  let feeds: FeedsSite;
  let expectNobodyElseTouched: () => Promise<void>;

  before(async () => {
    const names = [...Object.keys(FORMATS), ...Object.keys(ONE_BYTE)];
    const oneByte = Object.entries(ONE_BYTE).map(([name, { format, ...more }]) => {
      return [name, { read: format.read, ...('charset' in more ? { charset: more.charset } : {}) }] as const;
    });
    feeds = await FeedsSite.open(
      { ...unguardedFeeds(names), guarded: { control: './json.json' }, ...BYSTANDERS },
      { formats: { ...readBy(FORMATS), ...Object.fromEntries(oneByte) } },
    );
    expectNobodyElseTouched = await bystanders(feeds);
  });

  afterEach(() => expectNobodyElseTouched());

  after(() => feeds?.[Symbol.asyncDispose]());

  const inEachFormat = (test: (feed: Feed, format: BatchFormat) => Promise<void>): Promise<unknown> =>
    Promise.all(Object.entries(FORMATS).map(([feed, format]) => test(feed as Feed, format)));

  async function expectNames(feed: string, batch: readonly Person[]): Promise<void> {
    const seen = await feeds.site.query(`
      select username as "USERNAME", name_first as "FIRST_NAME", name_last as "LAST_NAME" from directory.users
      where feed = '${feed}' and is_active`);
    const names = batch.map(({ USERNAME, FIRST_NAME, LAST_NAME }) => ({ USERNAME, FIRST_NAME, LAST_NAME }));
    expect(seen).to.have.deep.members(names);
  }

  it('is read as meant, with every byte-order mark and kind of line end, also without a last one', async () => {
    const inUtf8 = { encode: utf8, ends: ['\r\n'] };
    const inUtf16 = { encode: utf16, ends: ['\r', '\n', '\r\n'] };
    const backwards = { encode: bigEndian, ends: ['\r'] };
    const variants = { json: [inUtf8, inUtf16], tsv: [inUtf8, backwards], csv: [inUtf16], xml: [backwards] };
    await inEachFormat(async (feed, format) => {
      const batch = crowd(feed, CROWD_SIZE, 'Zoë').map((one) => ({
        ...one,
        FIRST_NAME: '漢字',
        LAST_NAME: 'O’Brien 😀',
      }));
      await feeds.begin(feed, batch, format);
      await expectNames(feed, batch);
      for (const { encode, ends } of variants[feed]) {
        let lines = 0;
        const text = format
          .write(batch)
          .trimEnd()
          .replaceAll('\n', () => ends[lines++ % ends.length]!);
        const { status, counts } = await feeds.take(feed, encode(MARK + text));
        expect(status, `${feed}: ${encode.name}`).to.equal('complete');
        expect(counts, feed).to.include({ records: CROWD_SIZE, unchanged: CROWD_SIZE, rejected: 0 });
      }
    });
  });

  it('is read in the charset that the control file or the XML declaration names', async () => {
    const written = { FIRST_NAME: 'Zo\u00eb', LAST_NAME: 'O\u0092Brien \u0080' };
    const meant = {
      western: { FIRST_NAME: 'Zoë', LAST_NAME: 'O’Brien €' },
      greek: { FIRST_NAME: 'Zoλ', LAST_NAME: 'O’Brien €' },
    };
    await Promise.all(
      Object.entries(ONE_BYTE).map(async ([feed, { format, ...more }]) => {
        const batch = crowd(feed, CROWD_SIZE, 'before').map((one) => ({ ...one, ...written }));
        const mark = 'declared' in more ? `<?xml version="1.0" encoding="${more.declared}"?>` : '';
        const file = format.file(batch.map(format.record), latin1, mark);
        expect(await feeds.take(feed, file), feed).to.include({ status: 'complete', outcome: 'applied' });
        const names = meant[feed.startsWith('greek') ? 'greek' : 'western'];
        await expectNames(
          feed,
          batch.map((one) => ({ ...one, ...names })),
        );
      }),
    );
  });

  it('that is not valid UTF-8, or has null characters or lone surrogates, loses these records alone, with the offset', async () => {
    const bad = Object.entries(NOT_UTF_8).map(([what, bytes]) => invalid(what, Buffer.from(bytes), utf8));
    await inEachFormat((feed, format) => {
      return expectRejected(feeds, feed, format, [...bad, ...UNSTORABLE[feed]]);
    });
  });

  it('that is not valid UTF-16 loses these records alone, with the offset', async () => {
    const bad = ['\ud83d', '\ude00', '\ud83d\ud83d'].map((half) => invalid('half a pair', utf16(half), utf16));
    const encoding: Encoding = { encode: utf16, mark: MARK };
    await inEachFormat((feed, format) => expectRejected(feeds, feed, format, bad, encoding));
  });

  it('that has bytes which its charset of one byte lacks loses these records alone, with the offset', async () => {
    const bad = [0xd2, 0xff].map((byte) => invalid('no Greek letter', Buffer.of(byte), latin1));
    const greek = Object.entries(ONE_BYTE).filter(([feed]) => feed.startsWith('greek'));
    await Promise.all(
      greek.map(([feed, { format }]) => {
        const mark = format === XML ? `<?xml version="1.0" encoding="${GREEK}"?>` : '';
        return expectRejected(feeds, feed, format, bad, { encode: latin1, mark });
      }),
    );
  });

  it('is intact where a character is split over two chunks of the file', async () => {
    const job = 'ëë漢😀ë'.repeat(8000);
    const split = new Set<number>();
    await inEachFormat(async (feed, format) => {
      const batch = crowd(feed, CROWD_SIZE, job);
      const file = Buffer.from(format.write(batch));
      const lengths = lengthsOfSplit(file);
      expect(lengths, feed).to.have.length.greaterThan(2);
      for (const length of lengths) split.add(length);
      expect(await feeds.take(feed, file), feed).to.include({ status: 'complete' });
      await feeds.expectPeople(feed, batch);
      if (feed !== 'xml') return;
      const { counts } = await feeds.take(feed, utf16(MARK + format.write(batch)));
      expect(counts, feed).to.include({ records: CROWD_SIZE, unchanged: CROWD_SIZE });
    });
    expect([...split].sort()).to.deep.equal([2, 3, 4]);
  });

  it('holds the run when it is the username that cannot be read, so that nobody is blocked', async () => {
    const before = crowd('guarded', 10, 'before');
    await feeds.begin('guarded', before);
    const file = JSON_ARRAY.write(before).replace('"USERNAME":"guarded-5"', '"USERNAME":"guarded-5\\u0000"');
    const held = await feeds.take('guarded', file);
    expect([held.status, held.breached]).to.deep.equal(['held', ['unreadable-usernames']]);
    expect((await feeds.errors(held)).map(({ code, username, record }) => [code, username, record])).to.deep.equal([
      ['null-character', null, 5],
    ]);
    await feeds.expectPeople('guarded', before);
  });
});

/** Each is put into a value, where a decoder would silently make U+FFFD of it. */
const NOT_UTF_8 = {
  'a letter of latin1': [0xe9],
  'a character of three bytes cut off': [0xe2, 0x82],
  'a character of four bytes cut off': [0xf0, 0x9f, 0x98],
  'the end of a character': [0xbf],
  'the beginning of U+FFFD': [0xef, 0xbf],
  'a longer way than needed': [0xc0, 0xaf],
  'half a surrogate pair': [0xed, 0xa0, 0x80],
  'a character beyond Unicode': [0xf4, 0x90, 0x80, 0x80],
  'a byte that UTF-8 does not have': [0xff],
};

function invalid(what: string, bytes: Buffer, encode: Encode): BadRecord {
  return {
    what,
    make: (good) => {
      const [before = '', after = ''] = good.split(/(?<=Last)/);
      return Buffer.concat([encode(before), bytes, encode(after)]);
    },
    code: 'invalid-encoding',
    message: (at, record) => `first at byte ${at + record.indexOf(bytes)} of the file`,
  };
}

/** A record with something behind the beginning of the last name. */
function withInside(text: string, code = 'null-character', source?: string): BadRecord {
  const what = JSON.stringify(text);
  return {
    what,
    make: (good) => good.replace('Last', `Last${text}`),
    code,
    ...(source === undefined ? {} : { source }),
  };
}

/** A record with one more field, the first. */
function withField(text: string, source: string): BadRecord {
  return { what: text, make: (good) => good.replace('{', `{${text},`), code: 'null-character', source };
}

const IN_JSON = [
  ...['\\u0000', '\\ud800', '\\udfff', '\\ud83d\\ud83d'].map((text) => withInside(text, 'null-character', 'LAST_NAME')),
  withField('"MO\\u0000RE":1', 'MO\u2400RE'),
  withField('"MORE":[{"deep":["\\udc00"]}]', 'MORE'),
  withField('"MORE":{"\\udc00":1}', 'MORE'),
];
const IN_XML = [
  ...['&#0;', '&#x0;', '&#xD800;', '\0'].map((text) => withInside(text)),
  ...['\u000b', '\ufffe', '&#11;'].map((text) => withInside(text, 'invalid-character')),
];
const IN_TABLES = [withInside('\0')];

const UNSTORABLE: Readonly<Record<Feed, readonly BadRecord[]>> = {
  json: IN_JSON,
  xml: IN_XML,
  tsv: IN_TABLES,
  csv: IN_TABLES,
};

/** How many bytes the characters have that the end of a chunk cuts. */
function lengthsOfSplit(file: Buffer): number[] {
  const lengths: number[] = [];
  for (let end = CHUNK_BYTES; end < file.length; end += CHUNK_BYTES) {
    let start = end;
    while ((file[start]! & 0xc0) === 0x80) start--;
    if (start < end)
      lengths.push(file.toString('utf8', start, start + 4).codePointAt(0)! > 0xffff ? 4 : file[start]! >= 0xe0 ? 3 : 2);
  }
  return lengths;
}
