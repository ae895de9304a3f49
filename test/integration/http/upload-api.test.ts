import { expect } from 'chai';
import { changeSettings } from '../../../src/settings/feed-settings.js';
import { record } from '../../support/daemon-site.js';
import { HttpSite } from '../../support/http-site.js';
import { basic, fileOf, sha256, storedFiles, Uploader, type Part } from '../../support/upload.js';

const USERS = [record('ada'), record('bob')];
const TEXT = JSON.stringify(USERS);
const JSON_TYPE = 'application/json; charset=utf-8';
const TEXT_TYPE = 'text/plain; charset=utf-8';

async function uploaderOf(http: HttpSite, feed: string | null = null): Promise<Uploader> {
  return new Uploader(http, basic((await http.key('upload', feed)).secret));
}

const inBothOrders: Readonly<Record<string, readonly Part[]>> = {
  'name before file': [
    ['name', 'users'],
    ['file', fileOf(TEXT, 'export of today.json')],
  ],
  'file before name': [
    ['file', fileOf(TEXT, 'export of today.json')],
    ['name', 'users'],
  ],
};

describe('Uploading a file', () => {
  for (const [order, parts] of Object.entries(inBothOrders)) {
    it(`takes ${order}, and tells digest, size and name`, async () => {
      await using http = await HttpSite.open();
      const uploader = await uploaderOf(http);
      const { status, type, text } = await uploader.send(parts);
      expect([status, type, JSON.parse(text)]).to.deep.equal([
        200,
        JSON_TYPE,
        { digest: sha256(TEXT), fileSize: TEXT.length, filename: 'export of today.json' },
      ]);
      const [run] = await http.site.runs();
      expect(run).to.include({ status: 'ready', source: 'key upload key' });
      expect(await storedFiles(http.site.path)).to.deep.equal([sha256(TEXT)]);
      expect((await uploader.start()).text).to.equal('queued-for-apply: Run 1 is queued.\n');
      await http.site.atRest(1, 'complete');
      expect(await http.site.users()).to.deep.equal({ ada: true, bob: true });
    });
  }

  it('takes a key as a bearer token, and one with a larger scope', async () => {
    await using http = await HttpSite.open();
    const { secret } = await http.key('operate');
    const bearer = new Uploader(http, { authorization: `Bearer ${secret}` });
    expect((await bearer.file('users', TEXT)).status).to.equal(200);
  });

  it('waits for the start, whatever the rule for dropped files is', async () => {
    await using http = await HttpSite.open({ default: { start: 'when-ready' } });
    await (await uploaderOf(http)).file('users', TEXT);
    await http.site.drop('users.json', [record('eve')]);
    await http.site.atRest(1, 'complete');
    expect(await http.site.users()).to.deep.equal({ eve: true });
  });

  it('of one that the run has already is refused as text, with the file that was there kept', async () => {
    await using http = await HttpSite.open();
    const uploader = await uploaderOf(http);
    await uploader.file('users', TEXT);
    const again = await uploader.file('users', '[]');
    expect(again).to.deep.equal({
      status: 400,
      type: TEXT_TYPE,
      text: 'The file users has been uploaded for this run already.\n',
    });
    expect(await storedFiles(http.site.path)).to.deep.equal([sha256(TEXT)]);
  });

  it('is refused while a run that was started waits for its turn, and begins the next batch after that', async () => {
    await using http = await HttpSite.open();
    const uploader = await uploaderOf(http);
    await http.daemon.stop();
    await uploader.file('users', TEXT);
    await uploader.start();
    const late = await uploader.file('users', '[]');
    expect([late.status, late.type]).to.deep.equal([400, TEXT_TYPE]);
    expect(late.text).to.match(/^Run 1 is past uploading/);
    await http.app.database.query(`update sync.run set status = 'planning'`);
    expect((await uploader.file('users', '[]')).status).to.equal(200);
    expect(await http.site.runs()).to.have.length(2);
  });

  it('of an unknown name lists the names that the control file expects, before the file has come', async () => {
    await using http = await HttpSite.open();
    const { status, type, text } = await (await uploaderOf(http)).file('people', TEXT);
    expect([status, type, text]).to.deep.equal([
      400,
      TEXT_TYPE,
      'The control file has no file named people. It lists: users.\n',
    ]);
    expect(await storedFiles(http.site.path)).to.deep.equal([]);
    expect(await http.site.runs()).to.deep.equal([]);
  });

  it('is refused for a feed without a control file, which can be uploaded too', async () => {
    await using http = await HttpSite.open({ other: { control: undefined } });
    const uploader = await uploaderOf(http);
    const early = await uploader.file('users', TEXT, '?feed=other');
    expect(early.status).to.equal(400);
    expect(early.text).to.include('has no control file yet');
    expect((await uploader.start('/json', '?feed=other')).text).to.include('_control must be uploaded first');
  });
});

describe('A form that is not as it should be', () => {
  const bad: Readonly<Record<string, readonly [parts: readonly Part[], says: string]>> = {
    'without a name': [[['file', fileOf(TEXT)]], 'It has no field `name`'],
    'without a file': [[['name', 'users']], 'It has no file in the field `file`'],
    'with text in place of the file': [
      [
        ['name', 'users'],
        ['file', TEXT],
      ],
      'is text, not a file',
    ],
    'with its file in another field': [
      [
        ['name', 'users'],
        ['upload', fileOf(TEXT)],
      ],
      'not in the field `file`',
    ],
    'with two files': [
      [
        ['name', 'users'],
        ['file', fileOf(TEXT)],
        ['file', fileOf('[]')],
      ],
      'two files',
    ],
    'with two names': [
      [
        ['name', 'users'],
        ['file', fileOf(TEXT)],
        ['name', 'people'],
      ],
      'two fields `name`',
    ],
    'with a name of other characters': [
      [
        ['file', fileOf(TEXT)],
        ['name', '../users'],
      ],
      'may have letters',
    ],
    'with a name that is too long': [
      [
        ['file', fileOf(TEXT)],
        ['name', 'u'.repeat(201)],
      ],
      'may have letters',
    ],
    'with a name like a property of every object': [
      [
        ['file', fileOf(TEXT)],
        ['__proto__', 'users'],
      ],
      'prototype property',
    ],
    'with a hundred fields': [
      Array.from({ length: 100 }, (_, index): Part => [`field${index}`, '']),
      'reach fields limit',
    ],
  };

  it('is refused as text, says why and leaves nothing behind', async () => {
    await using http = await HttpSite.open();
    const uploader = await uploaderOf(http);
    for (const [what, [parts, says]] of Object.entries(bad)) {
      const { status, type, text } = await uploader.send(parts);
      expect([status, type], what).to.deep.equal([400, TEXT_TYPE]);
      expect(text, what).to.include('The upload cannot be used.').and.include(says);
    }
    expect(await storedFiles(http.site.path)).to.deep.equal([]);
    expect(await http.site.runs()).to.deep.equal([]);
  });

  it('is refused when it is no form, has no boundary, or is cut off', async () => {
    await using http = await HttpSite.open();
    const uploader = await uploaderOf(http);
    const head =
      '--b\r\ncontent-disposition: form-data; name="name"\r\n\r\nusers\r\n' +
      '--b\r\ncontent-disposition: form-data; name="file"; filename="users.json"\r\n\r\n[{"USERNAME"';
    const multipart = { 'content-type': 'multipart/form-data; boundary=b' };
    const answers = [
      await uploader.post('/upload-file', TEXT, { 'content-type': 'application/octet-stream' }),
      await uploader.post('/upload-file', 'name=users', { 'content-type': 'application/x-www-form-urlencoded' }),
      await uploader.post('/upload-file', TEXT, { 'content-type': 'application/json' }),
      await uploader.post('/upload-file', TEXT, { 'content-type': '' }),
      await uploader.post('/upload-file'),
      await uploader.post('/upload-file', head, { 'content-type': 'multipart/form-data' }),
      await uploader.post('/upload-file', head, multipart),
      await uploader.post('/upload-file', `${head}\r\n`, multipart),
      await uploader.post('/upload-file', '', multipart),
    ];
    for (const { status, type, text } of answers) {
      expect([status, type], text).to.deep.equal([400, TEXT_TYPE]);
      expect(text).to.include('The upload cannot be used.');
    }
    expect(await storedFiles(http.site.path)).to.deep.equal([]);
    expect(await http.site.runs()).to.deep.equal([]);
  });

  it('is refused when its file is too large', async () => {
    await using http = await HttpSite.open({}, {}, { more: { limits: { fileBytes: 1000 } } });
    const { status, type, text } = await (await uploaderOf(http)).file('users', ' '.repeat(1001));
    expect([status, type]).to.deep.equal([413, TEXT_TYPE]);
    expect(text).to.include('larger than 1000 bytes');
    expect(await storedFiles(http.site.path)).to.deep.equal([]);
  });
});

describe('An uploaded control file', () => {
  const control = (files: object): string =>
    JSON.stringify({
      dataImportControlFileVersion: 0,
      model: 'haplo:user-sync',
      files,
      instructions: ['username', 'nameFirst', 'nameLast', 'email'].map((name) => ({
        source: name,
        destination: 'user',
        name,
      })),
    });

  it('is in force at once, for the batch that is being uploaded too, and is noted', async () => {
    await using http = await HttpSite.open();
    const uploader = await uploaderOf(http);
    const text = control({ staff: { read: 'json' }, students: { read: 'json' } });
    expect((await uploader.file('_control', text)).status).to.equal(200);
    expect((await uploader.file('users', TEXT)).text).to.include('It lists: staff, students.');
    await uploader.file('staff', []);
    await uploader.file('_control', control({ staff: { read: 'json' } }));
    expect(await http.site.runs()).to.have.nested.property('[0].status', 'ready');
    const audit = await http.app.database.query('select actor, action, subject from sync.audit');
    const noted = { actor: 'key upload key', action: 'control-uploaded', subject: 'feed default' };
    expect(audit).to.deep.include(noted);
  });

  it('with mistakes is refused with all of them, and the one before stays in force', async () => {
    await using http = await HttpSite.open();
    const uploader = await uploaderOf(http);
    const wrong = JSON.parse(control({ staff: { read: 'jsn' } })) as { instructions: { name?: string }[] };
    wrong.instructions[1]!.name = 'nameFrist';
    const { status, type, text } = await uploader.file('_control', JSON.stringify(wrong));
    expect([status, type]).to.deep.equal([400, TEXT_TYPE]);
    expect(text).to.include('/files/staff/read').and.include('/instructions/1/name');
    expect((await uploader.file('_control', '{"not json')).status).to.equal(400);
    expect(await storedFiles(http.site.path)).to.deep.equal([]);
    expect((await uploader.file('users', TEXT)).status).to.equal(200);
  });

  it('that is far too large is refused', async () => {
    await using http = await HttpSite.open();
    const { status, text } = await (await uploaderOf(http)).file('_control', ' '.repeat(16 * 1024 ** 2 + 1));
    expect([status, text]).to.match(/^400,.*A control file has at most/);
    expect(await storedFiles(http.site.path)).to.deep.equal([]);
  });
});

describe('Starting an uploaded batch', () => {
  it('says in each form that files are missing, and what', async () => {
    await using http = await HttpSite.open();
    const uploader = await uploaderOf(http);
    const message = 'Nothing was started: users must be uploaded first.';
    expect(await uploader.start()).to.deep.equal({ status: 400, type: TEXT_TYPE, text: `missing-files: ${message}\n` });
    const json = await uploader.start('/json');
    expect([json.status, json.type]).to.deep.equal([200, JSON_TYPE]);
    expect(JSON.parse(json.text)).to.deep.equal({ status: 'missing-files', error: true, message });
    expect(await uploader.start('/xml')).to.deep.equal({
      status: 200,
      type: 'application/xml; charset=utf-8',
      text: `<?xml version="1.0" encoding="UTF-8"?>\n<response><sync error="true" status="missing-files">${message}</sync></response>\n`,
    });
    expect(await http.site.runs()).to.deep.equal([]);
  });

  it('says in each form that it is queued; starting twice starts once', async () => {
    await using http = await HttpSite.open();
    const uploader = await uploaderOf(http);
    await http.daemon.stop();
    await uploader.file('users', TEXT);
    expect(await uploader.start()).to.deep.equal({
      status: 200,
      type: TEXT_TYPE,
      text: 'queued-for-apply: Run 1 is queued.\n',
    });
    const json = await uploader.start('/json');
    expect(JSON.parse(json.text)).to.deep.equal({
      status: 'queued-for-apply',
      error: false,
      message: 'Run 1 is queued.',
    });
    expect((await uploader.start('/xml')).text).to.equal(
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
        '<response><sync error="false" status="queued-for-apply">Run 1 is queued.</sync></response>\n',
    );
    expect(await http.site.runs()).to.have.length(1);
    const audit = await http.app.database.query(`select subject from sync.audit where action = 'batch-started'`);
    expect(audit[0]).to.deep.equal({ subject: 'run 1' });
  });

  it('ignores a body, as clients send one with a POST', async () => {
    await using http = await HttpSite.open();
    const uploader = await uploaderOf(http);
    await uploader.file('users', TEXT);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await uploader.post('/start-sync', 'a=b', form)).status).to.equal(200);
  });

  it('says at once that an operator must look at the first run, which is planned and held', async () => {
    await using http = await HttpSite.open({ default: { guards: 'on' } });
    const uploader = await uploaderOf(http);
    await uploader.file('users', TEXT);
    const { status, text } = await uploader.start();
    expect([status, text]).to.deep.equal([
      200,
      'admin-intervention-required: Run 1 is planned, and then waits until an operator approves it: ' +
        'nothing of this feed was applied before.\n',
    ]);
    const [run] = await http.site.atRest(1, 'held');
    expect(run?.counts.added).to.equal(2);
  });

  it('says so when automatic apply is off, in the configuration or by an operator', async () => {
    await using http = await HttpSite.open({ other: { autoApply: false } });
    const uploader = await uploaderOf(http);
    await uploader.file('users', TEXT, '?feed=other');
    const configured = await uploader.start('/xml', '?feed=other');
    expect([configured.status, configured.text]).to.match(/^200,.*error="false" status="admin-intervention-required"/s);
    expect(configured.text).to.include('automatic apply is off for the feed');
    const settings = { feed: 'default', changes: { autoApply: false }, by: 'test', now: new Date() };
    await changeSettings(http.app.database, settings);
    await uploader.file('users', JSON.stringify([record('eve')]));
    const set = await uploader.start('/json');
    expect(JSON.parse(set.text)).to.deep.include({ status: 'admin-intervention-required', error: false });
    await http.site.atRest(2, 'held');
  });

  it('says so when the size of a file differs too much from the last batch', async () => {
    await using http = await HttpSite.open({ default: { guards: { 'first-run': 'off' } } });
    const uploader = await uploaderOf(http);
    const crowd = (count: number): object[] => Array.from({ length: count }, (_, index) => record(`user${index}`));
    await uploader.file('users', crowd(200));
    expect((await uploader.start()).text).to.match(/^queued-for-apply/);
    await http.site.atRest(1, 'complete');
    await uploader.file('users', crowd(150));
    const { text } = await uploader.start();
    expect(text).to.match(/^admin-intervention-required: .*file users differs by [\d,]+ bytes/);
    await http.site.atRest(1, 'held', 'complete');
    expect((await http.site.runs()).map(({ status }) => status)).to.deep.equal(['complete', 'held']);
  });
});
