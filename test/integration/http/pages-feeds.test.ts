import { expect } from 'chai';
import { mapSample, previewSample } from '../../../src/sync/sample.js';
import { SyncHarness } from '../../support/sync.js';
import { listAudit } from '../../../src/db/audit.js';
import { ensureFeed, putControlFile } from '../../../src/db/feeds.js';
import { eventually } from '../../support/eventually.js';
import { record } from '../../support/daemon-site.js';
import { htmlProblems } from '../../support/html-check.js';
import { codeOf } from '../../support/lifecycle.js';
import { HttpSite, type SignedIn } from '../../support/http-site.js';

const CONTROL = {
  dataImportControlFileVersion: 0,
  model: 'haplo:user-sync',
  files: { users: { read: 'json' } },
  instructions: [
    { source: 'u', destination: 'user', name: 'username' },
    { source: 'first', destination: 'user', name: 'nameFirst' },
    { source: 'last', destination: 'user', name: 'nameLast' },
    { source: 'mail', destination: 'user', name: 'email' },
  ],
};

describe('Pages about feeds', () => {
  it('show what is in force and why, and change it, from the next run on', async () => {
    await using http = await HttpSite.open({ default: { chunkSize: 7, start: 'on-signal' } });
    const anna = await http.signIn('admin', 'Anna');
    const before = await wellFormed(anna, '/feeds/default');
    expect(before).to.match(/Automatic apply<\/h3>\s*<p><strong>on<\/strong> <small>the default/);
    expect(before).to.match(/<strong>on a signal<\/strong> <small>from the configuration file/);
    expect((await change(anna, 'autoApply', { value: 'off' })).headers.get('location')).to.equal(
      '/feeds/default#autoApply',
    );
    await change(anna, 'start', { value: 'when-ready' });
    const after = await wellFormed(anna, '/feeds/default');
    expect(after)
      .to.match(/<strong>off<\/strong>\s*<small>set by Anna, <time/)
      .and.include('the configuration says: on');
    await http.site.drop('users.json', [record('ada')]);
    const [run] = await http.site.atRest(1);
    expect(run?.status).to.equal('held');
    await change(anna, 'autoApply', { back: '1' });
    expect(await anna.page('/feeds/default')).to.match(/<strong>on<\/strong> <small>the default/);
    expect(await wellFormed(anna, '/feeds'))
      .to.include('/feeds/default')
      .and.include('start');
  });

  it('change guards, grace, expected time and addresses, each with its parts', async () => {
    await using http = await HttpSite.open();
    const anna = await http.signIn('admin');
    const fields: Record<string, string> = { 'first-run.enabled': 'off', 'unreadable-usernames.enabled': 'on' };
    for (const name of ['blocked', 'updated', 'rejected', 'record-count', 'group-loss']) {
      Object.assign(fields, { [`${name}.enabled`]: 'on', [`${name}.share`]: '0.5', [`${name}.count`]: '3' });
    }
    Object.assign(fields, { 'file-size.enabled': 'on', 'file-size.share': '0.2', 'file-size.bytes': '100' });
    Object.assign(fields, { 'field-emptied.enabled': 'on', 'field-emptied.points': '30', 'field-emptied.count': '9' });
    expect((await change(anna, 'guards', fields)).status).to.equal(303);
    await change(anna, 'leavers', { graceRuns: '2', graceDays: '3' });
    await change(anna, 'expect', { by: '06:30', days: 'mon-fri', timeZone: 'Europe/London' });
    await change(anna, 'email', { value: 'ops@example.org, more@example.org' });
    const feed = await http.app.feed('default');
    expect(feed.guards['first-run'].enabled).to.equal(false);
    expect(feed.guards.blocked).to.deep.equal({ enabled: true, share: 0.5, count: 3 });
    expect(feed.guards['field-emptied']).to.deep.equal({ enabled: true, points: 30, count: 9 });
    expect(feed.leavers).to.deep.equal({ graceRuns: 2, graceDays: 3 });
    expect(feed.expect).to.deep.equal({
      by: '06:30',
      days: ['mon', 'tue', 'wed', 'thu', 'fri'],
      timeZone: 'Europe/London',
    });
    expect(feed.report.email).to.deep.equal(['ops@example.org', 'more@example.org']);
    const page = await wellFormed(anna, '/feeds/default');
    expect(page).to.include('all on but first-run').and.include('2 runs and 3 days');
    const actions = (await listAudit(http.app.database, { limit: 20 })).map(({ action }) => action);
    expect(actions.filter((action) => action === 'settings-changed')).to.have.length(4);
  });

  it('refuse what cannot be, and keep what is in force', async () => {
    await using http = await HttpSite.open();
    const anna = await http.signIn('admin');
    for (const [setting, fields] of [
      ['start', { value: 'whenever' }],
      ['leavers', { graceRuns: '-1', graceDays: '<script>' }],
      ['expect', { by: '25:00', days: 'mon', timeZone: 'UTC' }],
      ['email', { value: 'nobody' }],
      ['autoApply', { value: 'banana' }],
      ['guards', {}],
      ['guards', { 'blocked.enabled': 'on', 'blocked.share': '2', 'blocked.count': '1' }],
    ] as const) {
      const response = await change(anna, setting, fields);
      const text = await response.text();
      expect(response.status, setting).to.equal(400);
      expect(text, setting).to.include('These settings cannot be used').and.not.include('<script>');
      expect(htmlProblems(text), setting).to.deep.equal([]);
    }
    expect((await change(anna, 'dropDirectory', { value: '/' })).status).to.equal(400);
    expect(await http.app.database.query(`select from sync.feed where settings <> '{}'`)).to.have.length(0);
  });

  it('show a form that was refused as it was filled in, open, with what is wrong', async () => {
    await using http = await HttpSite.open();
    const anna = await http.signIn('admin');
    const given = { by: '25:00', days: 'mon,tue', timeZone: 'Europe/"Berlin"' };
    const page = await (await change(anna, 'expect', given)).text();
    const [, form = ''] = /id="expect">(.*?)<\/form>/s.exec(page) ?? [];
    expect(form).to.match(/<details open>.*class="notice bad" role="alert">.*\/expect\/by: must be a time of day/s);
    for (const value of ['25:00', 'mon,tue', 'Europe/&quot;Berlin&quot;']) expect(form).to.include(`value="${value}"`);
    expect(page.match(/<details open>/g)).to.have.length(1);
    const guards = { 'blocked.enabled': 'on', 'blocked.share': '2', 'blocked.count': '17', 'updated.enabled': 'off' };
    const limits = await (await change(anna, 'guards', guards)).text();
    expect(limits)
      .to.match(/name="blocked\.count"[^>]*value="17"/)
      .and.match(/name="blocked\.share"[^>]*value="2"/);
    expect(limits, 'that a guard is off').to.match(
      /name="updated\.enabled">[^/]*<option value="on"\s*>on<.*?"off" selected>/s,
    );
    expect(await http.app.database.query(`select from sync.feed where settings <> '{}'`)).to.have.length(0);
  });

  it('check a control file that is sent, show each problem with its line, and put a good one in force', async () => {
    await using http = await HttpSite.open();
    const anna = await http.signIn('admin', 'Anna');
    const bad = JSON.stringify(
      { ...CONTROL, instructions: [{ source: '<b>', destination: 'user', name: 'usrname' }] },
      undefined,
      2,
    );
    const refused = await send(anna, bad);
    const text = await refused.text();
    expect(refused.status).to.equal(400);
    expect(htmlProblems(text)).to.deep.equal([]);
    expect(text)
      .to.match(/\d+:\d+ \/instructions\/0\/name/)
      .and.include('did you mean')
      .and.not.include('<b>');
    const [before] = await http.app.database.query<{ id: number }>('select control_id as id from sync.feed');
    const taken = await send(anna, JSON.stringify(CONTROL, undefined, 2));
    expect([taken.status, taken.headers.get('location')]).to.deep.equal([303, '/feeds/default#control']);
    const page = await wellFormed(anna, '/feeds/default');
    const [now] = await http.app.database.query<{ id: number }>('select control_id as id from sync.feed');
    expect(now!.id).to.be.greaterThan(before!.id);
    expect(page).to.include(`In force: number ${now!.id}`).and.include('Anna');
    expect(await wellFormed(anna, `/feeds/default/control/${now!.id}`)).to.include('nameFirst');
    const compared = await wellFormed(anna, `/feeds/default/control-difference?from=${before!.id}&to=${now!.id}`);
    expect(compared)
      .to.match(/<ins>\+ .*\n.*<ins>/)
      .and.include('<del>-');
    expect(await anna.page(`/feeds/default/control/${now!.id}`)).to.match(/<span class="line"> ?1<\/span> \{\n<span/);
    const same = await wellFormed(anna, `/feeds/default/control-difference?from=${now!.id}&to=${now!.id}`);
    expect(same).to.include('No difference');
    expect((await anna.get('/feeds/default/control/999')).status).to.equal(404);
    expect((await send(anna, JSON.stringify(CONTROL), 'wrong')).status).to.equal(403);
    // Sent by a text field, browsers end lines with CR LF: it is the same control file.
    expect(
      (await send(anna, JSON.stringify(CONTROL, undefined, 2).replaceAll('\n', '\r\n'), undefined, 'text')).status,
    ).to.equal(303);
    expect(await http.app.database.query('select from sync.control_file')).to.have.length(2);
    expect((await send(anna, 'x'.repeat(17 * 1024 ** 2))).status).to.equal(413);
  });

  it('show what is wrong with a control file in force that cannot be used any more, and take another one', async () => {
    await using http = await HttpSite.open();
    const { database } = http.app;
    const anna = await http.signIn('admin');
    const instructions = [
      ...CONTROL.instructions,
      { source: 'x', destination: 'profile', name: 'std:attribute:<gone>' },
    ];
    const unusable = JSON.stringify({ ...CONTROL, instructions });
    // It was, for a program that had another model.
    await putControlFile(database, await ensureFeed(database, 'default'), unusable, 'test', true);
    const page = await wellFormed(anna, '/feeds/default');
    expect(page)
      .to.include('no longer allow the one in force')
      .and.match(/<code>unknown-name<\/code> \d+:\d+ \/instructions\/4\/name: .*&lt;gone&gt;/)
      .and.match(/<details open>\s*<summary>Send a new one/);
    expect(await wellFormed(anna, '/feeds')).to.include('cannot be used');
    expect(await wellFormed(anna, '/')).to.include('First it needs another control file');
    expect((await send(anna, JSON.stringify(CONTROL))).status).to.equal(303);
    expect(await wellFormed(anna, '/feeds/default')).not.to.include('no longer allow');
    expect(await wellFormed(anna, '/')).to.include('<code>users.json</code>');
  });

  it('show what a batch waits for, also by a control file with a byte-order mark', async () => {
    await using http = await HttpSite.open();
    const vera = await http.signIn('viewer');
    const files = { users: { read: 'json' }, extra: { read: 'json' } };
    await http.site.drop('_control.json', `\uFEFF${JSON.stringify({ ...CONTROL, files })}`);
    await http.site.drop('users.json', []);
    await http.site.atRest(1, 'uploading');
    for (const path of ['/', '/runs/1']) expect(await wellFormed(vera, path)).to.match(/[Ww]aits for\s+<code>extra</);
    const { secret } = await http.key('read');
    const answer = await http.fetch('/api/v1/runs/1', { headers: { authorization: `Bearer ${secret}` } });
    expect(answer.status).to.equal(200);
  });

  it('read nothing of a file from whoever may not send one', async () => {
    await using http = await HttpSite.open();
    await http.signIn('admin');
    const body = new FormData();
    body.set('_csrf', 'x');
    body.set('file', new File(['x'.repeat(8 * 1024 ** 2)], 'control.json'));
    const response = await http.fetch('/feeds/default/control', { method: 'POST', body });
    expect([response.status, response.headers.get('location')]).to.deep.equal([303, '/sign-in?unsent=1']);
  });

  it('list what was set aside, for admins to fetch and delete', async () => {
    await using http = await HttpSite.open();
    const anna = await http.signIn('admin');
    await http.site.drop('<b>strange.json', '["secret"]');
    const [held] = await eventually('quarantine', async () => {
      const all = await http.daemon.quarantine.list();
      return all.length > 0 ? all : undefined;
    });
    const page = await wellFormed(anna, '/feeds/default');
    expect(page).to.include('&lt;b&gt;strange.json').and.include('bad-name');
    const at = `/feeds/default/quarantine/${held!.id}`;
    const file = await anna.get(at);
    expect(await file.text()).to.equal('["secret"]');
    expect(file.headers.get('content-disposition')).to.match(/^attachment/);
    expect(file.headers.get('content-type')).to.equal('application/octet-stream');
    expect(page, 'a link, no button that does it').to.include(`href="${at}/delete"`);
    const question = await wellFormed(anna, `${at}/delete`);
    expect(question)
      .to.include('Delete this file?')
      .and.include('&lt;b&gt;strange.json')
      .and.include('Nothing has happened yet');
    expect(await http.daemon.quarantine.list(), 'who only asked').to.have.length(1);
    expect((await anna.post(`${at}/delete`, {}, `${at}/delete`)).headers.get('location')).to.equal(
      '/feeds/default#quarantine',
    );
    expect((await anna.get(`${at}/delete`)).status).to.equal(404);
    expect((await anna.get(at)).status).to.equal(404);
    expect(await http.daemon.quarantine.list()).to.deep.equal([]);
  });

  it('may be seen by viewers, and changed by admins alone', async () => {
    await using http = await HttpSite.open();
    const vera = await http.signIn('viewer');
    const page = await wellFormed(vera, '/feeds/default');
    expect(page).not.to.include('Change</summary>').and.not.include('Send a new one');
    expect(page, 'limits of guards').to.match(
      />blocked<\/th>\s*<td>off<\/td>\s*<td class="text">beyond this share: 0\.1; but not/,
    );
    const oscar = await http.signIn('operator');
    for (const somebody of [vera, oscar]) {
      expect((await change(somebody, 'force', { value: 'on' })).status).to.equal(403);
      expect((await send(somebody, JSON.stringify(CONTROL))).status).to.equal(403);
      expect((await somebody.post('/feeds/default/quarantine/x/delete', {})).status).to.equal(403);
      for (const path of ['x', 'x/delete'])
        expect((await somebody.get(`/feeds/default/quarantine/${path}`)).status, path).to.equal(403);
    }
    expect((await vera.get('/feeds/none')).status).to.equal(404);
  });
});

describe('The workbench', () => {
  it('shows what becomes of each record of a sample, value by value, and keeps nothing', async () => {
    await using http = await HttpSite.open();
    const vera = await http.signIn('viewer');
    const start = await wellFormed(vera, '/workbench');
    expect(start).to.include('std:attribute:job-title');
    const sample = JSON.stringify([record('ada', { JOB_TITLE: '<i>Reader' }), record('bob', { EMAIL: 'none' })]);
    const tried = await (await vera.post('/workbench', { feed: 'default', control: '', sample })).text();
    expect(htmlProblems(tried)).to.deep.equal([]);
    expect(tried).to.include('&lt;i&gt;Reader').and.include('/instructions/').and.include('invalid-email');
    expect(tried).to.match(/Record 2, line 1: bob\s*<span class="badge bad">rejected/);
    const given = { feed: 'default', control: '', sample: '[{"USERNAME": ', file: 'people "x"' };
    const broken = await vera.post('/workbench', given);
    expect([broken.status, htmlProblems(await broken.clone().text())]).to.deep.equal([400, []]);
    expect(await broken.text(), 'with what was typed')
      .to.match(/class="notice bad"/)
      .and.include('[{&quot;USERNAME&quot;: </textarea>')
      .and.include('value="people &quot;x&quot;"');
    expect(await http.app.database.query('select from sync.run')).to.have.length(0);
  });

  it('does not let a sample that multiplies hold up anybody else', async () => {
    await using harness = await SyncHarness.open();
    const each = { source: 'value', destination: 'profile', name: 'std:attribute:job-title', multivalue: true };
    const loop = {
      action: 'for-each',
      source: 'list',
      wrapValues: true,
      instructions: Array.from({ length: 500 }, () => each),
    };
    const username = { source: 'u', destination: 'user', name: 'username' };
    const control = JSON.stringify({ ...CONTROL, instructions: [username, loop] });
    const content = JSON.stringify([
      { u: 'ada', list: Array.from({ length: 20_000 }, (_, index) => `title ${index}`) },
    ]);
    const bounds = { mostValues: 10, mostBytes: 1000, timeoutMs: 1500, memoryMb: 64 };
    let longestMs = 0;
    let lastMs = performance.now();
    const ticks = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - lastMs);
      lastMs = performance.now();
    }, 20);
    for (const mapping of [
      () => mapSample(harness.context, { control, content, most: 10 }, bounds),
      () => previewSample(harness.context, { control, files: { users: content }, most: 10 }, bounds),
    ]) {
      expect(await codeOf(mapping())).to.equal('sample-too-much');
    }
    clearInterval(ticks);
    expect(longestMs).to.be.lessThan(1000);
    const short = JSON.stringify({ ...CONTROL, instructions: [username] });
    const many = JSON.stringify(Array.from({ length: 20 }, (_, index) => ({ u: `${index}` })));
    const texts = { control: short, files: { users: many }, most: 20 };
    expect((await previewSample(harness.context, texts)).lines).to.have.length(20);
    const code = await codeOf(previewSample(harness.context, texts, { ...bounds, timeoutMs: 10_000 }));
    expect(code, 'more of an answer than anybody reads').to.equal('sample-too-much');
  });

  it('names the problems of a control file, searches the model, and gives a control file to start from', async () => {
    await using http = await HttpSite.open();
    const vera = await http.signIn('viewer');
    const bad = await (
      await vera.post('/workbench', { feed: 'default', control: '{"files": {}}', sample: '[]' })
    ).text();
    expect(htmlProblems(bad)).to.deep.equal([]);
    expect(bad)
      .to.include('Problems of the control file')
      .and.match(/\d+:\d+/);
    const found = await wellFormed(vera, '/workbench?q=job-title');
    expect(found).to.include('std:attribute:job-title').and.not.include('std:attribute:telephone</code>');
    const generated = await vera.get('/workbench/control.json');
    expect(generated.headers.get('content-disposition')).to.include('attachment');
    expect(await generated.json()).to.have.property('dataImportControlFileVersion');
  });
});

function change(who: SignedIn, setting: string, fields: Readonly<Record<string, string>>): Promise<Response> {
  return who.post(`/feeds/default/settings/${setting}`, fields);
}

/** As the form with the file does. */
async function send(who: SignedIn, text: string, token?: string, by: 'file' | 'text' = 'file'): Promise<Response> {
  const csrf = token ?? /name="_csrf" value="([^"]+)"/.exec(await who.page('/'))?.[1] ?? '';
  const body = new FormData();
  body.set('_csrf', csrf);
  body.set('file', new File([by === 'file' ? text : ''], 'control.json', { type: 'application/json' }));
  body.set('text', by === 'text' ? text : '');
  return who.send('/feeds/default/control', body);
}

async function wellFormed(who: SignedIn, path: string): Promise<string> {
  const page = await who.page(path);
  expect(htmlProblems(page), path).to.deep.equal([]);
  return page;
}
