import { expect } from 'chai';
import { gzipSync } from 'node:zlib';
import { Site, people, person, type Person } from '../support/cli.js';

/** One way to write a batch, and how a control file says so. */
interface Format {
  readonly name: string;
  readonly file: object;
  readonly write: (batch: readonly Person[]) => string | Uint8Array;
}

const json = (batch: readonly Person[]): string => JSON.stringify(batch);

const FORMATS: readonly Format[] = [
  { name: 'json', file: { read: 'json' }, write: json },
  { name: 'jsonl', file: { read: 'jsonl' }, write: (batch) => batch.map((one) => JSON.stringify(one)).join('\r\n') },
  { name: 'csv', file: { read: 'csv' }, write: (batch) => table(batch, ',', (cell) => `"${cell}"`, '\r\n') },
  { name: 'tsv', file: { read: 'tsv-with-name-row' }, write: (batch) => table(batch, '\t', (cell) => cell, '\n') },
  {
    name: 'xml of children',
    file: { read: 'xml-text-of-children' },
    write: (batch) =>
      `<?xml version="1.0"?><users>${batch.map((one) => `<user>${children(one)}</user>`).join('\n')}</users>`,
  },
  {
    name: 'xml of attributes',
    file: { read: 'xml-attributes' },
    write: (batch) => `<users>${batch.map((one) => `<user ${attributes(one)}/>`).join('')}</users>`,
  },
  { name: 'gzip', file: { read: 'json' }, write: (batch) => gzipSync(json(batch)) },
];

describe('the program, with one batch in every format', () => {
  it('finds everyone unchanged when the same people come in another format', async () => {
    await using site = await Site.open();
    const batch = [...people(8), person(9, { FIRST_NAME: 'Zoë', LAST_NAME: 'O’Brien-Müller', JOB_TITLE: '' })];
    const template = await site.control();
    for (const [index, { name, file, write }] of FORMATS.entries()) {
      await site.write('other.json', JSON.stringify({ ...template, files: { users: file } }));
      await site.write('batch', write(batch));
      const { code, report, stderr } = await site.syncFile('batch', '--control', 'other.json', '--approve');
      expect(code, `${name}: ${stderr}`).to.equal(0);
      expect(report!.counts, name).to.deep.equal({
        records: 9,
        added: index === 0 ? 9 : 0,
        updated: 0,
        blocked: 0,
        unblocked: 0,
        unchanged: index === 0 ? 0 : 9,
        rejected: 0,
      });
    }
    expect(
      await site.query(`select name_first, name_last from directory.users where username = 'user9'`),
    ).to.deep.equal([{ name_first: 'Zoë', name_last: 'O’Brien-Müller' }]);
  });
});

describe('the program, beside accounts made by hand', () => {
  it('never alters one, and rejects a record whose e-mail address one has', async () => {
    await using site = await Site.open();
    await site.query(`insert into directory.account (email, name_first, name_last)
      values ('User2@Example.org', 'Made', 'By Hand'), ('admin@example.org', 'Ad', 'Min')`);
    const before = await site.query(
      `select * from directory.account where name_last in ('By Hand', 'Min') order by id`,
    );

    const first = await site.sync(people(10), '--approve');
    expect(first.code).to.equal(0);
    expect(first.report!.counts).to.include({ records: 10, added: 9, rejected: 1 });
    const errors = await site.call('log', '1', '--errors');
    expect(errors.stdout).to.contain('not-owned users:1 user2 ').and.to.contain('the sync did not create');

    // Nor when everyone changes, or leaves.
    await site.sync(
      people(10).map((one) => ({ ...one, JOB_TITLE: 'Dean' })),
      '--approve',
    );
    await site.sync(people(3), '--approve');
    const after = await site.query(`select * from directory.account where name_last in ('By Hand', 'Min') order by id`);
    expect(after).to.deep.equal(before);
    const person2 = await site.call('user', 'user2@example.org');
    expect(person2.stdout).to.contain('this account was made by hand, the sync leaves it alone');
  });

  it('keeps memberships of groups that it does not manage', async () => {
    await using site = await Site.open();
    await site.sync(people(3), '--approve');
    await site.query(`insert into directory.membership (account_id, group_code)
      select id, 'example:group:reviewers' from directory.users where username = 'user1'`);
    await site.sync([person(1, { ROLE: 'staff' }), person(2), person(3)], '--approve');
    expect(
      await site.query(`select groups, profile_types from directory.users where username = 'user1'`),
    ).to.deep.equal([
      { groups: ['example:group:reviewers', 'example:group:staff'], profile_types: ['std:type:person:staff'] },
    ]);
  });
});

function table(batch: readonly Person[], separator: string, quote: (cell: string) => string, end: string): string {
  const names = Object.keys(batch[0] ?? {});
  const rows = [names, ...batch.map((one) => names.map((name) => one[name] ?? ''))];
  return rows.map((row) => row.map(quote).join(separator) + end).join('');
}

function children(one: Person): string {
  return Object.entries(one)
    .map(([name, value]) => `<${name}>${value}</${name}>`)
    .join('');
}

function attributes(one: Person): string {
  return Object.entries(one)
    .map(([name, value]) => `${name}="${value}"`)
    .join(' ');
}
