import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expectRejected, type BadRecord } from '../../support/bad-records.js';
import { BatchFormat } from '../../support/batch-formats.js';
import { BYSTANDERS, bystanders } from '../../support/bystanders.js';
import type { Person } from '../../support/cli.js';
import { crowd } from '../../support/crowd.js';
import { FeedsSite, readBy, unguardedFeeds } from '../../support/feeds-site.js';

const { JSON: JSON_ARRAY, JSON_LINES, TSV, XML, XML_ATTRIBUTES } = BatchFormat;

/** Each is a feed. */
const FORMATS = { json: JSON_ARRAY, jsonl: JSON_LINES, tsv: TSV, xml: XML, attributes: XML_ATTRIBUTES };

type Feed = keyof typeof FORMATS;

/** Fields whose names mean something to JavaScript, and where they go. */
const OF_PROTOTYPES = [
  { source: '__proto__', destination: 'user', name: 'title' },
  { source: 'constructor', destination: 'profile', name: 'std:attribute:notes' },
  { source: 'toString', destination: 'user:tags', name: 'example:tag:card-number' },
];

/** A file that cannot be read to its end. */
interface BadFile {
  readonly what: string;
  readonly file: string;
  readonly code: string;
  /** What the message says of the place, or of what to do. */
  readonly says: string;
}

describe('The structure of a dropped file', function () {
  this.timeout(60_000);

  let feeds: FeedsSite;
  let expectNobodyElseTouched: () => Promise<void>;

  before(async () => {
    feeds = await FeedsSite.open(
      { ...unguardedFeeds(Object.keys(FORMATS)), ...BYSTANDERS },
      { formats: readBy(FORMATS), instructions: OF_PROTOTYPES },
    );
    expectNobodyElseTouched = await bystanders(feeds);
  });

  afterEach(() => expectNobodyElseTouched());

  after(() => feeds?.[Symbol.asyncDispose]());

  /** All fail, one after the other, in each feed beside the others, and change nothing. */
  async function expectFailed(files: Partial<Record<Feed, (good: string) => readonly BadFile[]>>): Promise<void> {
    const failures = Object.entries(files).map(async ([name, filesOf]) => {
      const feed = name as Feed;
      const before = await feeds.peopleOf(feed, FORMATS[feed]);
      for (const { what, file, code, says } of filesOf(FORMATS[feed].write(crowd(feed, 5, 'after')))) {
        const failed = await feeds.take(feed, file);
        expect(failed, `${feed}: ${what}`).to.include({ status: 'failed', failureCode: code });
        expect(failed.failureMessage, `${feed}: ${what}`)
          .to.match(/^users: /)
          .and.include(says);
      }
      await feeds.expectPeople(feed, before);
    });
    await Promise.all(failures);
  }

  it('fails with the place when something follows its end, or it is of another kind', async () => {
    await expectFailed({
      json: (good) => [
        { what: 'garbage', file: `${good}\nx`, code: 'trailing-data', says: 'goes on after the end of its array' },
        {
          what: 'a second array',
          file: `${good}\n${good}`,
          code: 'trailing-data',
          says: 'write one JSON document a file',
        },
        {
          what: 'a line a record',
          file: JSON_LINES.write(crowd('json', 5, 'after')),
          code: 'unexpected-content',
          says: "(line 1, byte 0): if it has one JSON object a line, read it as 'jsonl'",
        },
        ...[',]', ', {"a":"\0"}]'].map((end) => malformed(`${good.slice(0, -1)}${end}`, 'line 5, byte ')),
      ],
      xml: (good) => [
        malformed(`${good}garbage`, 'line 8, byte '),
        malformed(`${good}<users/>`, 'line 8, byte '),
        malformed(good.replace('Last3', 'Last&nbsp;3'), 'line 4, byte '),
      ],
    });
  });

  it('loses the elements and lines that are no objects, with their places, and no record', async () => {
    const strays: Partial<Record<Feed, readonly (readonly [string, string])[]>> = {
      json: ['42', '"text"', 'null', 'true', '[{"USERNAME":"json-1"}]', '[]', '1e400'].map((text) => [
        text,
        'not-an-object',
      ]),
      jsonl: [
        ...['42', '"text"', 'null', '[{"USERNAME":"jsonl-1"}]'].map((text) => [text, 'not-an-object'] as const),
        ...['garbage', '{"USERNAME":"jsonl-1"', '{} {}', '{},', ']'].map((text) => [text, 'invalid-json'] as const),
      ],
    };
    const tests = Object.entries(strays).map(async ([name, elements]) => {
      const feed = name as Feed;
      const format = FORMATS[feed];
      const { length } = await feeds.peopleOf(feed, format);
      const after = crowd(feed, length, 'after');
      const [first = '', ...others] = after.map(format.record);
      const file = format.file([first, ...elements.map(([text]) => text), ...others]);
      const run = await feeds.take(feed, file);
      let byte = file.indexOf(elements[0]![0], file.indexOf(first) + first.length);
      const expected = elements.map(([text, code], index) => {
        const place = {
          code,
          username: null,
          record: index + 2,
          line: file.toString('utf8', 0, byte).split('\n').length,
          byte,
        };
        byte += text.length + (feed === 'json' ? 2 : 1);
        return place;
      });
      const errors = await feeds.errors(run);
      expect(
        errors.map(({ code, username, record, line, byte: at }) => ({ code, username, record, line, byte: at })),
      ).to.deep.equal(expected);
      expect(run, feed).to.include({ status: 'complete', outcome: 'applied' });
      expect(run.counts, feed).to.include({ updated: length, added: 0, blocked: 0, rejected: elements.length });
      await feeds.expectPeople(feed, after);
    });
    await Promise.all(tests);
  });

  it('is refused when a header has a name twice, and loses the record when a name stands twice in it', async () => {
    const twice: readonly BadRecord[] = [
      ['"EMAIL":"other@example.org"', 'EMAIL'],
      ['"\\u0045MAIL":"other@example.org"', 'EMAIL'],
      ['"MORE":{"a":1,"b":{"a":1},"a":1}', 'a'],
      ['"MORE":[{"":0,"":0}]', ''],
      ['"__proto__":1,"__proto__":2', '__proto__'],
    ].map(([field = '', source = '']) => withField(field, 'duplicate-key', { source }));
    const refused = (file: string, column: number): BadFile => {
      return { what: 'a header', file, code: 'bad-header', says: `has one name twice, again for column ${column}` };
    };
    await Promise.all([
      expectFailed({ tsv: (good) => [refused(`EMAIL\t${good}`, 6), refused(good.replace('\n', '\tEMAIL\n'), 11)] }),
      expectRejected(feeds, 'jsonl', JSON_LINES, twice),
    ]);
  });

  it('keeps numbers exactly, or loses the record that has one which cannot be kept', async () => {
    const inexact = [
      '9007199254740993',
      '-9007199254740993',
      '12345678901234567890',
      '0.1234567890123456789',
      '1e400',
      '-1e400',
      '1e131071',
      '1e-400',
    ];
    const bad = inexact.flatMap((value) => [
      withField(`"CARD":${value},"X":0`, 'invalid-number', { value }, /"CARD":"[^"]*"/),
      withField(`"MORE":[{"deep":${value}}]`, 'invalid-number', { value }),
    ]);
    await expectRejected(feeds, 'json', JSON_ARRAY, bad);
    const kept = {
      '9007199254740991': '9007199254740991',
      '-9007199254740991': '-9007199254740991',
      '0.1': '0.1',
      '1.50': '1.5',
      '1e2': '100',
      '0': '0',
    };
    const batch = crowd('json', Object.keys(kept).length, 'numbers');
    const records = Object.keys(kept).map((number, index) =>
      JSON_ARRAY.record(batch[index]!).replace(/"CARD":"[^"]*"/, `"CARD":${number}`),
    );
    expect((await feeds.take('json', JSON_ARRAY.file(records))).counts).to.include({ rejected: 0 });
    const cards = await feeds.site.query<{ username: string; card: string; raw: string }>(`
      select username, tags ->> 'example:tag:card-number' as card, raw from directory.users join sync.received using (username)
      where feed = 'json' and is_active order by username`);
    expect(cards.map(({ card }) => card)).to.deep.equal(Object.values(kept));
    expect(cards.map(({ raw }) => raw)).to.deep.equal(records);
    // Elsewhere numbers are texts.
    const asTexts = crowd('tsv', inexact.length, 'numbers').map((one, index) => ({ ...one, CARD: inexact[index]! }));
    expect((await feeds.take('tsv', TSV.write(asTexts))).counts).to.include({ rejected: 0 });
    expect(
      await feeds.site.query(
        `select tags ->> 'example:tag:card-number' as "CARD" from directory.users where feed = 'tsv' and is_active order by username`,
      ),
    ).to.deep.equal(asTexts.map(({ CARD }) => ({ CARD })));
  });

  it('may have fields with names that JavaScript objects inherit, which are plain data', async () => {
    const tests = (['json', 'tsv', 'xml'] as const).map(async (feed) => {
      const batch = crowd(feed, 4, 'plain');
      expect(await feeds.take(feed, withNames(feed, batch)), feed).to.include({ status: 'complete' });
      const seen = await feeds.site.query(`
        select username, title, profile #>> '{std:attribute:notes,0,value}' as notes, tags from directory.users
        where feed = '${feed}' and is_active order by username`);
      const expected = batch.map(({ USERNAME, CARD }, index) => {
        const [title, notes, card] = index % 2 === 0 ? ['proto', 'constructed', 'string'] : ['Dr', null, CARD];
        return { username: USERNAME, title, notes, tags: { 'example:tag:card-number': card } };
      });
      expect(seen, feed).to.deep.equal(expected);
    });
    await Promise.all(tests);
  });

  it('of XML is refused when there is a document type, whatever it declares, and nothing outside is asked for', async () => {
    let visits = 0;
    const server = createServer((socket) => {
      visits += 1;
      socket.destroy();
    });
    server.unref().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const outside = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const laughs = Array.from(
      { length: 10 },
      (_, index) => `<!ENTITY lol${index + 1} "${`&lol${index};`.repeat(10)}">`,
    );
    const types = [
      `<!DOCTYPE users [<!ENTITY lol0 "lol">${laughs.join('')}]>`,
      '<!DOCTYPE users [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
      `<!DOCTYPE users [<!ENTITY e SYSTEM "${outside}/e">]>`,
      `<!DOCTYPE users SYSTEM "${outside}/users.dtd" [<!ENTITY % p SYSTEM "${outside}/p">%p;]>`,
    ];
    const refused = (type: string, good: string): BadFile => {
      const file = `<?xml version="1.0"?>\n${type}${good.replace('Last1', '&e;&lol9;')}`;
      return { what: type, file, code: 'doctype-refused', says: 'declarations and entities of its own are not read' };
    };
    await expectFailed({ xml: (good) => types.map((type) => refused(type, good)) });
    const including = XML.write(crowd('xml', 5, 'included'))
      .replace(
        '<users>',
        `<?xml-stylesheet href="${outside}/s.xsl"?><users xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a ${outside}/s.xsd" xmlns:xi="http://www.w3.org/2001/XInclude">`,
      )
      .replaceAll('<CARD>', `<xi:include href="${outside}/x"/><CARD>`);
    expect((await feeds.take('xml', including)).counts).to.include({ records: 5, rejected: 0 });
    await feeds.expectPeople('xml', crowd('xml', 5, 'included'));
    expect(visits).to.equal(0);
    server.close();
  });

  it('of XML may be declared 1.1, and have namespaces, CDATA, comments, instructions, entities and references', async () => {
    const people = (feed: string): Person[] => crowd(feed, 4, `a <b> & "c" 'd' ]]> 😀`);
    await feeds.begin('xml', people('xml'), XML);
    await feeds.begin('attributes', people('attributes'), XML_ATTRIBUTES);
    const head = `<?xml version="1.1" encoding="UTF-8" standalone="yes"?>\n<!-- <users> & -->\n`;
    const root = '<x:users xmlns:x="urn:x" xmlns="urn:y">';
    const files = {
      xml: `${head}${root}<!-- <user> -->${people('xml').map(elaborate).join('<?skip <user>?>\n<!-- - -->')}</x:users><!-- end -->\n<?end?>`,
      attributes: `${head}${root}${people('attributes').map(elaborateAttributes).join('<!-- -->')}</x:users>`,
    };
    for (const [feed, file] of Object.entries(files)) {
      const run = await feeds.take(feed, file);
      expect(run, feed).to.include({ status: 'complete' });
      expect(run.counts, feed).to.include({ records: 4, unchanged: 4, rejected: 0, blocked: 0 });
    }
  });
});

function malformed(file: string, says: string): BadFile {
  return { what: file.slice(-40), file, code: 'malformed-file', says };
}

function withFirst(record: string, fields: string): string {
  return record.replace('{', `{${fields},`);
}

/** A record of JSON with other fields in front, instead of the one that matches. */
function withField(fields: string, code: string, more: Partial<BadRecord>, instead?: RegExp): BadRecord {
  return {
    what: fields,
    make: (good) => withFirst(instead === undefined ? good : good.replace(instead, '"Y":0'), fields),
    code,
    ...more,
  };
}

/** A file in which every other record has the fields of prototypes; in JSON the others have them where they are no text. */
function withNames(feed: 'json' | 'tsv' | 'xml', batch: readonly Person[]): string {
  const objects = '"__proto__":{"TITLE":"Sir"},"MORE":{"constructor":{"prototype":{"TITLE":"Sir"}}}';
  const texts = '"__proto__":"proto","constructor":"constructed","toString":"string"';
  const elements = '<__proto__>proto</__proto__><constructor>constructed</constructor><toString>string</toString>';
  const add: Readonly<Record<typeof feed, (record: string, hasNames: boolean) => string>> = {
    json: (record, hasNames) => withFirst(record, hasNames ? texts : objects),
    xml: (record, hasNames) => (hasNames ? record.replace('</user>', `${elements}</user>`) : record),
    tsv: (record, hasNames) => (hasNames ? `${record}\tproto\tconstructed\tstring` : record),
  };
  const format = FORMATS[feed];
  const file = format.file(batch.map((one, index) => add[feed](format.record(one), index % 2 === 0))).toString();
  return feed === 'tsv' ? file.replace('\n', '\t__proto__\tconstructor\ttoString\n') : file;
}

/** The record with everything that XML has, which means the same. */
function elaborate(one: Person): string {
  const children = Object.entries(one).map(([name, value], index) => {
    const written = [
      `<![CDATA[${value.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`,
      [...value].map((character) => `&#${character.codePointAt(0)};`).join(''),
      [...value].map((character) => `&#x${character.codePointAt(0)!.toString(16)};<!-- -->`).join('<?skip?>'),
    ][index % 3];
    return `<!-- <${name}> --><x:${name} x:lang="en">${written}</x:${name} >`;
  });
  return `<user xmlns:z="urn:z" id='<>'>\r\n  ${children.join('\r\n\t')}</user>`.replace("'<>'", "'&lt;>'");
}

function elaborateAttributes(one: Person): string {
  const written = Object.entries(one).map(([name, value], index) => {
    const text = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll("'", '&apos;');
    return `${index % 2 === 0 ? 'x:' : ''}${name} = '${text.replaceAll('😀', '&#x1F600;')}'`;
  });
  return `<user xmlns:z="urn:z"\r\n ${written.join('\n')}><ignored>&amp;<![CDATA[<]]></ignored></user>`;
}
