import { expect } from 'chai';
import { dependentsModel } from '../support/dependents-model.js';
import { SyncHarness } from '../support/sync.js';

interface Person {
  readonly u: string;
  readonly [name: string]: unknown;
}

const USER = [
  { source: 'u', destination: 'user', name: 'username' },
  { source: 'u', destination: 'user', name: 'nameFirst' },
  { source: 'u', destination: 'user', name: 'nameLast' },
  { source: 'mail', destination: 'user', name: 'email' },
];
const NAME = 'test:attribute:name';
const MANAGER = 'std:attribute:relationship-manager';

function control(instructions: readonly object[], more: object = {}): object {
  return {
    dataImportControlFileVersion: 0,
    model: 'haplo:user-sync',
    files: { users: { read: 'json' } },
    instructions: [...USER, ...instructions],
    ...more,
  };
}

async function open(instructions: readonly object[], more: object = {}): Promise<SyncHarness> {
  return (await SyncHarness.open({ control: control(instructions, more) })).withModel(dependentsModel());
}

function people(...all: readonly Person[]): object[] {
  return all.map((person) => ({ mail: `${person.u}@example.org`, ...person }));
}

interface Book extends Record<string, unknown> {
  readonly who: string;
  readonly name: string | null;
  readonly owner: string | null;
  readonly ref: string;
}

/** Objects of a type with whose they are, oldest first. */
async function objects(harness: SyncHarness, ...types: string[]): Promise<Book[]> {
  return harness.rows<Book>(
    `select feed_user.username as who, object.ref::text as ref, object.owner::text as owner,
            object.attributes #>> '{test:attribute:name,0,value}' as name
     from directory.object
     left join directory.account on account.profile_ref = object.owner
     left join sync.feed_user on feed_user.account_id = account.id
     where object.types && $1::text[] order by object.ref`,
    [types.length > 0 ? types : ['std:type:book', 'test:type:thesis']],
  );
}

async function books(harness: SyncHarness): Promise<string[]> {
  return (await objects(harness)).map(({ who, name }) => `${who}: ${name ?? '-'}`);
}

async function profileOf(harness: SyncHarness, username: string): Promise<Record<string, unknown>> {
  const [user] = await harness.rows<{ profile: Record<string, unknown> }>(
    'select profile from directory.users where username = $1',
    [username],
  );
  return user?.profile ?? {};
}

async function profileRef(harness: SyncHarness, username: string): Promise<string> {
  const [user] = await harness.rows<{ ref: string }>(
    'select profile_ref::text as ref from directory.users where username = $1',
    [username],
  );
  return user?.ref ?? '';
}

async function errors(harness: SyncHarness): Promise<string[]> {
  const rows = await harness.rows<{ text: string }>(
    `select code || ' ' || username || coalesce(' ' || value, '') as text from sync.run_log
     where level = 'error' and run_id = (select max(id) from sync.run) order by id`,
  );
  return rows.map(({ text }) => text);
}

async function makeBook(harness: SyncHarness, owner: string | null, name: string): Promise<string> {
  const link = owner === null ? {} : { 'test:attribute:owner': [{ value: { ref: owner } }] };
  const [row] = await harness.rows<{ ref: string }>(
    `insert into directory.object (types, attributes) values ('{test:type:thesis}', $1) returning ref::text`,
    [JSON.stringify({ ...link, [NAME]: [{ value: name }] })],
  );
  return row?.ref ?? '';
}

describe('Objects that belong to a user', () => {
  const SET_NAME = { source: 'book', destination: 'book', name: NAME };

  it('are made with the account, changed with the record, and left alone by one that says nothing', async () => {
    await using harness = await open([SET_NAME]);
    await harness.sync(people({ u: 'ada', book: 'Notes' }, { u: 'bob' }));
    expect(await books(harness)).to.deep.equal(['ada: Notes']);
    const [made] = await objects(harness);
    expect(made?.owner).to.equal(await profileRef(harness, 'ada'));
    const run = await harness.sync(people({ u: 'ada', book: 'Notes, 2nd edition' }, { u: 'bob', book: 'Poems' }));
    expect(run.counts).to.include({ added: 0, updated: 2, unchanged: 0 });
    expect(await books(harness)).to.deep.equal(['ada: Notes, 2nd edition', 'bob: Poems']);
    await harness.sync(people({ u: 'ada' }, { u: 'bob', book: 'Poems' }));
    expect(await books(harness)).to.deep.equal(['ada: Notes, 2nd edition', 'bob: Poems']);
  });

  it('are unchanged when everything is planned again', async () => {
    await using harness = await open([SET_NAME]);
    const batch = people({ u: 'ada', book: 'Notes' });
    await harness.sync(batch);
    const run = await harness.sync(batch, { force: true });
    expect(run.counts).to.include({ updated: 0, unchanged: 1 });
    expect(await books(harness)).to.have.length(1);
  });

  it('stand in the plan and in the change log with before and after', async () => {
    await using harness = await open([SET_NAME]);
    await harness.sync(people({ u: 'ada', book: 'Notes' }));
    const run = await harness.sync(people({ u: 'ada', book: 'Poems' }));
    const [change] = await harness.rows('select kind, before, after from directory.changes where run = $1', [run.id]);
    const [book] = await objects(harness);
    const state = (name: string): object => ({
      dependents: { [book?.ref ?? '']: { destination: 'book', attributes: { [NAME]: [{ value: name }] } } },
    });
    expect(change).to.deep.equal({ kind: 'update', before: state('Notes'), after: state('Poems') });
  });

  it('lose the values that `remove-values` names, and none is made for that', async () => {
    await using harness = await open([{ action: 'remove-values', destination: 'book', name: NAME }, SET_NAME]);
    await harness.sync(people({ u: 'ada', book: 'Notes' }, { u: 'bob' }));
    await harness.sync(people({ u: 'ada' }, { u: 'bob' }));
    expect(await books(harness)).to.deep.equal(['ada: -']);
  });

  it('may have been there before: the oldest linked one of the type is taken, whoever made it', async () => {
    await using harness = await open([SET_NAME]);
    await harness.sync(people({ u: 'ada' }));
    const owner = await profileRef(harness, 'ada');
    await makeBook(harness, owner, 'by hand');
    await makeBook(harness, owner, 'by hand, too');
    await makeBook(harness, null, 'of nobody');
    await harness.sync(people({ u: 'ada', book: 'Notes' }));
    expect(await books(harness)).to.deep.equal(['ada: Notes', 'ada: by hand, too', 'null: of nobody']);
  });

  const EACH_BOOK = {
    action: 'for-each',
    source: 'books',
    wrapValues: true,
    instructions: [
      { action: 'new', destination: 'book' },
      { source: 'value', destination: 'book', name: NAME },
    ],
  };

  it('can be several, by `new`, and the same list makes no more of them', async () => {
    await using harness = await open([EACH_BOOK]);
    await harness.sync(people({ u: 'ada', books: ['A', 'B'] }));
    expect(await books(harness)).to.deep.equal(['ada: A', 'ada: B']);
    await harness.sync(people({ u: 'ada', books: ['A', 'B'] }), { force: true });
    await harness.sync(people({ u: 'ada', books: ['A', 'C', 'D'] }));
    expect(await books(harness)).to.deep.equal(['ada: A', 'ada: C', 'ada: D']);
    await harness.sync(people({ u: 'ada', books: ['E'] }));
    expect(await books(harness)).to.deep.equal(['ada: E', 'ada: C', 'ada: D']);
  });

  it('keep their places when one of them is missing for a while', async () => {
    await using harness = await open([SET_NAME, EACH_BOOK]);
    await harness.sync(people({ u: 'ada', books: ['B', 'C'] }));
    expect(await books(harness)).to.deep.equal(['ada: B', 'ada: C']);
    await harness.sync(people({ u: 'ada', book: 'A', books: ['B', 'C'] }));
    expect(await books(harness)).to.deep.equal(['ada: B', 'ada: C', 'ada: A']);
    await harness.sync(people({ u: 'ada', books: ['X', 'C'] }));
    expect(await books(harness)).to.deep.equal(['ada: X', 'ada: C', 'ada: A']);
  });

  it('can own others, which need their owner to be made', async () => {
    await using harness = await open([
      {
        action: 'for-each',
        source: 'books',
        instructions: [
          { action: 'new', destination: 'book' },
          {
            action: 'for-each',
            source: 'pages',
            wrapValues: true,
            instructions: [
              { action: 'new', destination: 'book:page' },
              { source: 'value', destination: 'book:page', name: NAME },
            ],
          },
        ],
      },
    ]);
    const batch = people({ u: 'ada', books: [{ pages: ['1', '2'] }, { pages: [] }, { pages: ['3'] }] });
    await harness.sync(batch);
    const [first, second, ...more] = await objects(harness);
    expect(more).to.deep.equal([]);
    const pages = await objects(harness, 'test:type:page');
    expect(pages.map(({ name, owner }) => [name, owner])).to.have.deep.members([
      ['1', first?.ref],
      ['2', first?.ref],
      ['3', second?.ref],
    ]);
    await harness.sync(batch, { force: true });
    expect(await objects(harness)).to.have.length(2);
    expect(await objects(harness, 'test:type:page')).to.have.length(3);
  });

  it('come with the account or not at all', async () => {
    await using harness = await open([SET_NAME]);
    await harness.administer(
      `create function refuse() returns trigger language plpgsql as $$ begin
         if new.attributes::text like '%forbidden%' then raise exception using errcode = '23514'; end if; return new;
       end $$`,
    );
    await harness.administer(
      'create trigger refuse before insert or update on directory.object for each row execute function refuse()',
    );
    const run = await harness.sync(people({ u: 'ada', book: 'forbidden' }, { u: 'bob', book: 'Poems' }));
    expect(run.counts).to.include({ added: 1, rejected: 1 });
    expect(await errors(harness)).to.deep.equal(['database ada']);
    expect(await books(harness)).to.deep.equal(['bob: Poems']);
    expect(await harness.rows('select username from directory.users')).to.deep.equal([{ username: 'bob' }]);
  });

  it('of somebody who lost the profile belong to the new one', async () => {
    await using harness = await open([SET_NAME]);
    await harness.sync(people({ u: 'ada', book: 'Notes' }));
    await harness.rows('delete from directory.object where ref = $1', [await profileRef(harness, 'ada')]);
    await harness.sync(people({ u: 'ada', book: 'Poems' }));
    expect(await books(harness)).to.deep.equal(['null: Notes', 'ada: Poems']);
  });
});

describe('`load`', () => {
  const LOAD = [
    { source: 'ref', destination: 'load:by-ref', name: 'ref', filters: ['haplo:string-to-ref'] },
    { action: 'load', destination: 'book', using: 'load:by-ref' },
    { source: 'name', destination: 'book', name: NAME },
  ];

  it('changes an object of nobody, which then belongs to the user', async () => {
    await using harness = await open(LOAD);
    await harness.sync(people({ u: 'bob', ref: '999' }));
    const ref = await makeBook(harness, null, 'found');
    await harness.sync(people({ u: 'ada', ref, name: 'Notes' }));
    expect(await books(harness)).to.deep.equal(['ada: Notes']);
    await harness.sync(people({ u: 'ada', ref, name: 'Poems' }));
    expect(await books(harness)).to.deep.equal(['ada: Poems']);
  });

  it('rejects the record when there is no such object, it is of another type, or belongs to somebody else', async () => {
    await using harness = await open(LOAD);
    await harness.rows(`insert into directory.object (types, attributes) values ('{test:type:page}', '{}')`);
    const [page] = await harness.rows<{ ref: string }>(
      `select ref::text as ref from directory.object where types = '{test:type:page}'`,
    );
    const ref = await makeBook(harness, null, 'mine');
    await harness.sync(people({ u: 'ada', ref, name: 'Notes' }));
    const all = ['ada', 'bob', 'cyd', 'dan', 'eve'];
    const refs = [ref, ref, '999999', page?.ref ?? '', 'no ref'];
    await harness.sync(people(...all.map((u, index) => ({ u, ref: refs[index], name: 'stolen' }))));
    expect((await errors(harness)).map((error) => error.split(' ').slice(0, 2).join(' '))).to.deep.equal([
      'load-failed bob',
      'load-failed cyd',
      'load-failed dan',
      'load-failed eve',
    ]);
    expect(await books(harness)).to.deep.equal(['ada: stolen']);
  });

  it('runs `otherwise` when nothing is found', async () => {
    await using harness = await open([
      LOAD[0]!,
      { ...LOAD[1]!, otherwise: [{ action: 'new', destination: 'book' }] },
      LOAD[2]!,
    ]);
    await harness.sync(people({ u: 'ada', ref: '999999', name: 'Notes' }));
    expect(await books(harness)).to.deep.equal(['ada: Notes']);
    await harness.sync(people({ u: 'ada', ref: '999999', name: 'Notes' }), { force: true });
    expect(await books(harness)).to.deep.equal(['ada: Notes']);
  });
});

describe('Objects that several records load', () => {
  const LOAD = [
    { source: 'ref', destination: 'load:by-ref', name: 'ref', filters: ['haplo:string-to-ref'] },
    { action: 'load', destination: 'book', using: 'load:by-ref' },
    { source: 'name', destination: 'book', name: NAME },
  ];

  it('belong to the first of them; the others are rejected, and tried again with the same batch', async () => {
    await using harness = await open(LOAD);
    const ref = await makeBook(harness, null, 'found');
    const batch = people({ u: 'ada', ref, name: 'A' }, { u: 'bob', ref, name: 'B' });
    const run = await harness.sync(batch);
    expect(run.counts).to.include({ added: 1, rejected: 1, unchanged: 0 });
    expect(await errors(harness)).to.deep.equal(['load-failed bob']);
    expect(await books(harness)).to.deep.equal(['ada: A']);
    await harness.rows('update directory.object set attributes = attributes - $1 where ref = $2', [
      'test:attribute:owner',
      ref,
    ]);
    await harness.administer(`delete from directory.account where email = 'ada@example.org'`);
    const again = await harness.sync(people({ u: 'bob', ref, name: 'B' }));
    expect(again.counts).to.include({ added: 1, rejected: 0 });
    expect(await books(harness)).to.deep.equal(['bob: B']);
  });
});

describe('Instructions that ask what the directory holds', () => {
  it('`if-has-value` sees values of account, profile, dictionary and of an object', async () => {
    const ask = (destination: string, name: string): object => ({
      action: 'if-has-value',
      destination,
      name,
      else: [{ action: 'log-error', message: `no ${name}` }],
    });
    await using harness = await open([
      ask('user', 'title'),
      ask('profile', 'std:attribute:url'),
      ask('user:tags', 'example:tag:card-number'),
      ask('test:locker', 'number'),
      ask('book', NAME),
      { source: 'title', destination: 'user', name: 'title' },
      { source: 'url', destination: 'profile', name: 'std:attribute:url' },
      { source: 'card', destination: 'user:tags', name: 'example:tag:card-number' },
      { source: 'locker', destination: 'test:locker', name: 'number' },
      { source: 'book', destination: 'book', name: NAME },
    ]);
    const whole = { u: 'ada', title: 'Dr', url: 'https://example.org', card: '1', locker: 7, book: 'Notes' };
    const first = await harness.sync(people(whole));
    expect(first.errors).to.equal(5);
    // In error, so that everything is planned again; and with nothing in the record, only the directory can answer.
    const second = await harness.sync(people({ u: 'ada' }, { u: 'bob' }));
    // The title is a name that every record sets, if it sets any: ada's record has none.
    expect(await errors(harness)).to.deep.equal(['logged ada', ...Array<string>(5).fill('logged bob')]);
    expect(second.counts).to.include({ added: 1 });
  });

  it('`if-has-value` for a name of the user does not make a default come and go', async () => {
    await using harness = await open([
      { source: 'group', destination: 'user', name: 'groups' },
      {
        action: 'if-has-value',
        destination: 'user',
        name: 'groups',
        else: [{ action: 'set-value', value: 'example:group:staff', destination: 'user', name: 'groups' }],
      },
    ]);
    const groups = async (): Promise<unknown> =>
      (await harness.rows('select groups from directory.users where username = $1', ['ada']))[0]?.['groups'];
    for (const more of [[], people({ u: 'bob' }), people({ u: 'cyd' })]) {
      await harness.sync([...people({ u: 'ada' }), ...more]);
      expect(await groups()).to.deep.equal(['example:group:staff']);
    }
  });

  it('`assert-destination` rejects a record when the object is there, or is not', async () => {
    await using harness = await open([
      {
        action: 'if-exists',
        source: 'must',
        then: [{ action: 'assert-destination', destination: 'book', exists: true }],
        else: [{ action: 'assert-destination', destination: 'book', exists: false }],
      },
      { source: 'book', destination: 'book', name: NAME },
    ]);
    await harness.sync(people({ u: 'ada', book: 'A' }, { u: 'bob', book: 'B' }));
    expect(await errors(harness)).to.deep.equal([]);
    const run = await harness.sync(
      people({ u: 'ada', book: 'C' }, { u: 'bob', must: 1, book: 'D' }, { u: 'cyd', must: 1, book: 'E' }),
    );
    expect(run.counts).to.include({ rejected: 2, updated: 1 });
    expect(await errors(harness)).to.deep.equal(['assert-failed ada', 'assert-failed cyd']);
    expect(await books(harness)).to.deep.equal(['ada: A', 'bob: D']);
  });

  it('ask in a few questions, however many records there are', async () => {
    await using harness = await open([
      { action: 'if-has-value', destination: 'profile', name: 'std:attribute:url', then: [] },
    ]);
    const batch = people(...Array.from({ length: 3000 }, (_, index) => ({ u: `u${index}` })));
    await harness.sync(batch, { settings: { chunkSize: 1000 } });
    let questions = 0;
    const { database } = harness;
    const rows = database.rows.bind(database);
    database.rows = (name: string, ...rest: never[]) => {
      if (name === 'lookup/existing-users') questions += 1;
      return rows(name, ...rest);
    };
    const run = await harness.sync(batch.reverse());
    expect(run.counts).to.include({ unchanged: 3000 });
    expect(questions).to.be.within(1, 50);
  });
});

describe('References to objects', () => {
  it('find an object that somebody made, by behaviour, by title and by ref', async () => {
    const works = { destination: 'profile', name: 'std:attribute:works-for' };
    await using harness = await open(
      [
        { source: 'code', ...works, filters: ['haplo:code-to-ref'] },
        { source: 'behaviour', ...works, refMapping: 'behaviours' },
        { source: 'title', ...works, refMapping: 'titles' },
        { source: 'ref', ...works, filters: ['haplo:string-to-ref'] },
      ],
      {
        mapping: {
          behaviours: { using: 'behaviour', values: { M: 'org:medicine' } },
          titles: { types: ['std:type:organisation'], using: 'title', values: { M: 'Faculty of Medicine' } },
        },
      },
    );
    const [made] = await harness.rows<{ ref: string }>(
      `insert into directory.object (types, attributes) values ('{std:type:organisation}', $1) returning ref::text`,
      [
        JSON.stringify({
          'dc:attribute:title': [{ value: 'Faculty of Medicine' }],
          'std:attribute:configured-behaviour': [{ value: 'org:medicine' }],
        }),
      ],
    );
    const ref = made?.ref ?? '';
    await harness.sync(
      people(
        { u: 'ada', code: 'org:medicine' },
        { u: 'bob', behaviour: 'M' },
        { u: 'cyd', title: 'M' },
        { u: 'dan', ref },
        { u: 'eve', code: 'org:nothing', title: 'X', ref: '999999' },
      ),
    );
    for (const username of ['ada', 'bob', 'cyd', 'dan']) {
      expect((await profileOf(harness, username))['std:attribute:works-for'], username).to.deep.equal([
        { value: { ref } },
      ]);
    }
    expect(await profileOf(harness, 'eve')).not.to.have.property('std:attribute:works-for');
  });

  it('by title fail the run when there are too many objects to search', async () => {
    await using harness = await open(
      [{ source: 'title', destination: 'profile', name: 'std:attribute:works-for', refMapping: 'titles' }],
      { mapping: { titles: { types: ['std:type:organisation'], using: 'title', values: { M: 'Medicine' } } } },
    );
    await harness.rows(
      `insert into directory.object (types) select '{std:type:organisation}' from generate_series(1, 4097)`,
    );
    const failure = await harness.sync(people({ u: 'ada' })).then(
      () => undefined,
      (error: unknown) => (error as { code: string }).code,
    );
    expect(failure).to.equal('too-many-candidates');
  });
});

describe('References to people', () => {
  const BY_USERNAME = {
    source: 'boss',
    destination: 'profile',
    name: MANAGER,
    filters: ['haplo:username-to-ref'],
  };

  async function bossOf(harness: SyncHarness, username: string): Promise<unknown> {
    return (await profileOf(harness, username))[MANAGER];
  }

  it('find somebody in the directory, somebody added before or after in the same run, and oneself', async () => {
    await using harness = await open([BY_USERNAME]);
    await harness.sync(people({ u: 'old' }));
    await harness.sync(
      people(
        { u: 'old' },
        { u: 'ada', boss: 'Zoe' },
        { u: 'bob', boss: 'old' },
        { u: 'zoe', boss: 'ada' },
        { u: 'me', boss: 'me' },
      ),
      { settings: { chunkSize: 1 } },
    );
    const boss = async (username: string): Promise<object[]> => [
      { value: { ref: await profileRef(harness, username) } },
    ];
    expect(await bossOf(harness, 'ada')).to.deep.equal(await boss('zoe'));
    expect(await bossOf(harness, 'bob')).to.deep.equal(await boss('old'));
    expect(await bossOf(harness, 'zoe')).to.deep.equal(await boss('ada'));
    expect(await bossOf(harness, 'me')).to.deep.equal(await boss('me'));
    expect(await errors(harness)).to.deep.equal([]);
    const again = await harness.sync(
      people(
        { u: 'old' },
        { u: 'ada', boss: 'Zoe' },
        { u: 'bob', boss: 'old' },
        { u: 'zoe', boss: 'ada' },
        { u: 'me', boss: 'me' },
      ),
      { force: true },
    );
    expect(again.counts).to.include({ updated: 0, unchanged: 5 });
  });

  it('by e-mail find whoever has the address, also an account made by hand', async () => {
    await using harness = await open([{ ...BY_USERNAME, filters: ['haplo:email-to-ref'] }]);
    const [hand] = await harness.rows<{ ref: string }>(
      `with profile as (insert into directory.object (types) values ('{std:type:person}') returning ref)
       insert into directory.account (email, profile_ref) select 'Hand@example.org', ref from profile
       returning profile_ref::text as ref`,
    );
    await harness.sync(
      people({ u: 'ada', boss: 'hand@example.org' }, { u: 'bob', boss: 'ZOE@example.org' }, { u: 'zoe' }),
    );
    expect(await bossOf(harness, 'ada')).to.deep.equal([{ value: { ref: hand?.ref } }]);
    expect(await bossOf(harness, 'bob')).to.deep.equal([{ value: { ref: await profileRef(harness, 'zoe') } }]);
  });

  it('to nobody are an error on the record, which is tried again until that person comes', async () => {
    await using harness = await open([BY_USERNAME]);
    const batch = people({ u: 'ada', boss: 'zoe' }, { u: 'bob' });
    const run = await harness.sync(batch);
    expect(run.counts).to.include({ added: 2, rejected: 0 });
    expect(run.errors).to.equal(1);
    expect(await errors(harness)).to.deep.equal(['unknown-reference ada zoe']);
    expect(await bossOf(harness, 'ada')).to.equal(undefined);
    const again = await harness.sync([...batch, ...people({ u: 'zoe' })]);
    expect(again.counts).to.include({ added: 1, updated: 1 });
    expect(await bossOf(harness, 'ada')).to.deep.equal([{ value: { ref: await profileRef(harness, 'zoe') } }]);
  });

  it('to nobody leave what is there, unless it was removed first', async () => {
    for (const removes of [false, true]) {
      const remove = { action: 'remove-values', destination: 'profile', name: MANAGER };
      await using harness = await open(removes ? [remove, BY_USERNAME] : [BY_USERNAME]);
      await harness.sync(people({ u: 'ada', boss: 'bob' }, { u: 'bob' }));
      await harness.sync(people({ u: 'ada', boss: 'nobody' }, { u: 'bob' }));
      const expected = removes ? undefined : [{ value: { ref: await profileRef(harness, 'bob') } }];
      expect(await bossOf(harness, 'ada')).to.deep.equal(expected);
    }
  });

  it('with a qualifier to nobody leave the values with that qualifier', async () => {
    await using harness = await open([{ ...BY_USERNAME, qualifier: 'std:qualifier:home' }]);
    await harness.sync(people({ u: 'ada', boss: 'bob' }, { u: 'bob' }));
    await harness.sync(people({ u: 'ada', boss: 'nobody' }, { u: 'bob' }));
    expect(await bossOf(harness, 'ada')).to.deep.equal([
      { value: { ref: await profileRef(harness, 'bob') }, qualifier: 'std:qualifier:home' },
    ]);
  });

  it('stand in objects and in groups of attributes, too', async () => {
    const reviewer = { name: 'test:attribute:reviewer', filters: ['haplo:username-to-ref'] };
    await using harness = await open([
      { source: 'boss', destination: 'book', ...reviewer },
      { source: 'text', destination: 'book:attribute-group:test:attribute:loan', name: 'test:attribute:text' },
      { source: 'lender', destination: 'book:attribute-group:test:attribute:loan', ...reviewer },
      {
        action: 'set-attribute-group',
        source: 'book:attribute-group:test:attribute:loan',
        destination: 'book',
        name: 'test:attribute:loan',
      },
    ]);
    await harness.sync(
      people(
        { u: 'ada', boss: 'zoe', text: 'x', lender: 'zoe' },
        { u: 'zoe', boss: 'nobody', text: 'y', lender: 'nobody' },
      ),
    );
    const found = await harness.rows<{ attributes: Record<string, unknown> }>(
      `select object.attributes - 'test:attribute:owner' as attributes from directory.object
       join directory.account on account.profile_ref = object.owner
       where types && '{std:type:book}' order by account.email`,
    );
    const zoe = [{ value: { ref: await profileRef(harness, 'zoe') } }];
    expect(found.map(({ attributes }) => attributes)).to.deep.equal([
      {
        'test:attribute:reviewer': zoe,
        'test:attribute:loan': [{ value: { 'test:attribute:text': [{ value: 'x' }], 'test:attribute:reviewer': zoe } }],
      },
      { 'test:attribute:loan': [{ value: { 'test:attribute:text': [{ value: 'y' }] } }] },
    ]);
    expect(await errors(harness)).to.deep.equal(['unknown-reference zoe nobody']);
  });

  it('to somebody whom the database refused are taken back, and tried again', async () => {
    await using harness = await open([BY_USERNAME]);
    await harness.administer(`alter table directory.account add constraint no_zoe check (email not like 'zoe%')`);
    const batch = people({ u: 'ada', boss: 'zoe' }, { u: 'zoe' });
    const run = await harness.sync(batch);
    expect(run.counts).to.include({ added: 1, rejected: 1 });
    expect(await bossOf(harness, 'ada')).to.equal(undefined);
    expect(await errors(harness)).to.have.members(['unknown-reference ada', 'database zoe']);
    const [change] = await harness.rows<{ after: { profile: object } }>(
      `select after from directory.changes where username = 'ada'`,
    );
    expect(change?.after.profile).not.to.have.property(MANAGER);
    await harness.administer('alter table directory.account drop constraint no_zoe');
    await harness.sync(batch);
    expect(await bossOf(harness, 'ada')).to.deep.equal([{ value: { ref: await profileRef(harness, 'zoe') } }]);
  });

  it('survive a run that is interrupted between the two', async () => {
    await using harness = await open([BY_USERNAME]);
    const stop = new AbortController();
    const batch = people({ u: 'ada', boss: 'zoe' }, { u: 'bob' }, { u: 'zoe' });
    await harness
      .sync(batch, {
        settings: { chunkSize: 1, concurrency: 1 },
        signal: stop.signal,
        onProgress: ({ phase, done }) => {
          if (phase === 'apply' && done >= 1) stop.abort(new Error('stopped by the test'));
        },
      })
      .catch(() => undefined);
    expect(await harness.rows('select username from directory.users')).to.deep.equal([{ username: 'ada' }]);
    expect(await bossOf(harness, 'ada')).to.equal(undefined);
    await harness.sync(batch);
    expect(await bossOf(harness, 'ada')).to.deep.equal([{ value: { ref: await profileRef(harness, 'zoe') } }]);
  });

  it('do not mistake a value of data type `json` for a reference', async () => {
    const model = JSON.parse(dependentsModel()) as { attributes: object[] };
    model.attributes.push({ code: 'test:attribute:json', title: 'J', dataType: 'json', types: ['std:type:person'] });
    const first = await SyncHarness.open({
      control: control([{ source: 'json', destination: 'profile', name: 'test:attribute:json' }]),
    });
    await using harness = first.withModel(JSON.stringify(model));
    await harness.sync(people({ u: 'ada', json: { username: 'zoe' } }));
    expect((await profileOf(harness, 'ada'))['test:attribute:json']).to.deep.equal([{ value: { username: 'zoe' } }]);
  });
});

describe('Dictionaries', () => {
  it('are set, changed name by name, emptied, and shown to applications', async () => {
    await using harness = await open([
      { source: 'number', destination: 'test:locker', name: 'number' },
      { action: 'remove-values', destination: 'test:locker', name: 'colour' },
      { source: 'colour', destination: 'test:locker', name: 'colour' },
    ]);
    const dictionaries = async (): Promise<unknown[]> =>
      (await harness.rows('select dictionaries from directory.users order by username')).map(
        (row) => row['dictionaries'],
      );
    await harness.sync(people({ u: 'ada', number: '12', colour: 'red' }, { u: 'bob' }));
    expect(await dictionaries()).to.deep.equal([{ 'test:locker': { number: 12, colour: 'red' } }, {}]);
    const run = await harness.sync(people({ u: 'ada', number: 13 }, { u: 'bob' }));
    expect(run.counts).to.include({ updated: 1, unchanged: 1 });
    expect(await dictionaries()).to.deep.equal([{ 'test:locker': { number: 13 } }, {}]);
    const [change] = await harness.rows('select before, after from directory.changes where run = $1', [run.id]);
    expect(change).to.deep.equal({
      before: { dictionaries: { 'test:locker': { number: 12, colour: 'red' } } },
      after: { dictionaries: { 'test:locker': { number: 13 } } },
    });
  });

  it('without a required name reject the record, when anything of them is set', async () => {
    await using harness = await open([
      { source: 'number', destination: 'test:locker', name: 'number' },
      { source: 'colour', destination: 'test:locker', name: 'colour' },
    ]);
    const run = await harness.sync(people({ u: 'ada', colour: 'red' }, { u: 'bob' }));
    expect(run.counts).to.include({ added: 1, rejected: 1 });
    expect(await errors(harness)).to.deep.equal(['missing-value ada']);
  });
});
