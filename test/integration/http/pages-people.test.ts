import { expect } from 'chai';
import { listAudit } from '../../../src/db/audit.js';
import { record } from '../../support/daemon-site.js';
import { htmlProblems } from '../../support/html-check.js';
import { HttpSite, type SignedIn } from '../../support/http-site.js';

const HOSTILE = `<script>alert(1)</script>"onmouseover="x\u001b[31m`;

describe('Pages about people', () => {
  it('find somebody by username or e-mail address, and show the account, the record and what became of each value', async () => {
    await using http = await withBatch([
      record('ada', { JOB_TITLE: 'Reader', PHONE: '+44 20 7946 0123' }),
      record('bob'),
    ]);
    const oscar = await http.signIn('operator');
    for (const who of ['ada', 'ADA', 'Ada@Example.org']) {
      const found = await oscar.post('/people', { who }, '/people');
      expect([found.status, found.headers.get('location')], who).to.deep.equal([303, await pathOf(http, 'ada')]);
    }
    const page = await wellFormed(oscar, await pathOf(http, 'ada'));
    expect(page).to.include('ada@example.org').and.include('example:group:staff').and.include('active');
    expect(page).to.match(/since <a href="\/runs\/1">run 1<\/a>/);
    expect(page)
      .to.include('&quot;JOB_TITLE&quot;:&quot;Reader&quot;')
      .and.match(/line 1, record\s+1/);
    expect(page.replaceAll(/\s+/g, ' ')).to.match(
      /<code>profile\/std:attribute:job-title<\/code><\/td> <td class="text"> Reader .*?<code>JOB_TITLE<\/code> ?<\/td> <td> ?<span class="folded">by<\/span> ?<code>\/instructions\/\d+/,
    );
    const audit = await listAudit(http.app.database, { limit: 100 });
    expect(
      audit.some(({ action, subject, actor }) => [action, subject, actor].join() === 'person-looked-up,ada,operator'),
    ).to.equal(true);
  });

  it('say that nobody is known, and what to try; and show whom every run rejected', async () => {
    await using http = await withBatch([record('ada'), record('eve', { EMAIL: 'none' })]);
    const oscar = await http.signIn('operator');
    const nobody = await oscar.post('/people', { who: 'nobody' }, '/people');
    expect(nobody.status).to.equal(404);
    expect(await nobody.text()).to.include('Spelling counts, case does not');
    const rejected = await oscar.post('/people', { who: 'Eve' }, '/people');
    const text = await rejected.text();
    expect(htmlProblems(text)).to.deep.equal([]);
    expect(text).to.include('No account').and.include('invalid-email').and.include('none');
  });

  it('let operators retry, protect and pin, with a reason, and admins adopt', async () => {
    await using http = await withBatch([record('ada'), record('bob')]);
    const oscar = await http.signIn('operator');
    const at = await pathOf(http, 'ada');
    expect((await oscar.post(`${at}/look-again`, {}, at)).headers.get('location')).to.equal(`${at}#state`);
    expect(await oscar.page(at)).to.include('looks at this user again');
    const silent = await oscar.post(`${at}/protect`, { reason: ' ' }, at);
    expect([silent.status, await silent.text()].join()).to.match(/^400,.*Say why/s);
    await oscar.post(`${at}/protect`, { reason: 'on leave', until: '2099-01-31' }, at);
    await oscar.post(`${at}/pin`, { name: 'email', value: 'other@example.org', reason: 'as she wished' }, at);
    const page = await wellFormed(oscar, at);
    expect(page).to.include('on leave').and.include('other@example.org').and.include('Unpin E-mail');
    const wrong = await oscar.post(`${at}/pin`, { name: 'email', value: 'none', reason: 'x' }, at);
    expect(wrong.status).to.equal(400);
    await http.site.drop('users.json', [record('bob')]);
    await http.site.atRest(2);
    expect(await http.site.users()).to.deep.equal({ ada: true, bob: true });
    await oscar.post(`${at}/end`, { name: '' }, at);
    await oscar.post(`${at}/end`, { name: 'email' }, at);
    expect(await oscar.page(at)).not.to.include('on leave');
    const [made] = await http.app.database.query<{ id: number }>(
      `insert into directory.account (email, name_first, name_last) values ('cyd@example.org', 'C', 'Yd') returning id`,
    );
    expect(await wellFormed(oscar, `/people/${made!.id}`))
      .to.include('leaves it alone')
      .and.not.include('Adopt');
    expect((await oscar.post(`/people/${made!.id}/adopt`, { username: 'cyd', feed: 'default' }, at)).status).to.equal(
      403,
    );
    const anna = await http.signIn('admin');
    const adopted = await anna.post(`/people/${made!.id}/adopt`, { username: 'cyd', feed: 'default' }, at);
    expect(adopted.status).to.equal(303);
    expect(await anna.page(`/people/${made!.id}`)).to.include('<code>cyd</code>');
    const actions = (await listAudit(http.app.database, { limit: 100 })).map(({ action }) => action);
    expect(actions).to.include.members([
      'look-again',
      'user-protected',
      'value-pinned',
      'override-ended',
      'account-adopted',
    ]);
  });

  it('show a form that was refused as it was filled in, open, with what is wrong, and note who saw that', async () => {
    await using http = await withBatch([record('ada')]);
    const oscar = await http.signIn('operator');
    const at = await pathOf(http, 'ada');
    const refused = async (form: string, fields: Readonly<Record<string, string>>): Promise<string> => {
      const response = await oscar.post(`${at}/${form}`, fields, at);
      const page = await response.text();
      expect([response.status, htmlProblems(page)], form).to.deep.equal([400, []]);
      expect(page.match(/<details[^>]* open>/g), form).to.deep.equal([`<details id="${form}" open>`]);
      return new RegExp(`<details id="${form}" open>(.*?)</details>`, 's').exec(page)?.[1] ?? '';
    };
    const before = await lookUps(http, 'ada');
    const pin = { name: 'groups', value: 'staf, "x"', reason: 'as she <wished>', until: '2099-01-31' };
    const mistyped = await refused('pin', pin);
    expect(mistyped, 'the problem').to.match(/role="alert">No managed group: staf, &quot;x&quot;/);
    expect(mistyped, 'what was chosen').to.match(/<option value="groups" selected>/);
    for (const text of ['staf, &quot;x&quot;', 'as she &lt;wished&gt;', '2099-01-31']) {
      expect(mistyped).to.include(`value="${text}"`);
    }
    const past = await refused('protect', { reason: 'on leave', until: '2020-01-31' });
    expect(past)
      .to.match(/role="alert">The end date is in the past/)
      .and.include('value="on leave"')
      .and.include('value="2020-01-31"');
    const silent = await refused('pin', { name: 'title', value: 'Dr', reason: ' ' });
    expect(silent)
      .to.match(/role="alert">Say why/)
      .and.include('value="Dr"');
    expect((await lookUps(http, 'ada')) - before, 'pages read for the token, and those of the refusals').to.equal(6);
    const ended = await oscar.post(`${at}/end`, { name: 'email' }, at);
    expect([ended.status, await ended.text()].join()).to.match(/^404,.*<h2>Decide.*role="alert">ada is not pinned/s);
  });

  it('do not let a form be sent without what it needs, and keep what an admin typed to adopt somebody', async () => {
    await using http = await withBatch([record('ada')]);
    const anna = await http.signIn('admin');
    const page = await anna.page(await pathOf(http, 'ada'));
    for (const id of ['protect-reason', 'pin-reason']) expect(inputOf(page, id), id).to.match(/\srequired\s/);
    expect(inputOf(page, 'pin-value'), 'no title, no groups').not.to.match(/\srequired\s/);
    const [made] = await http.app.database.query<{ id: number }>(
      `insert into directory.account (email, name_first, name_last) values ('cyd@example.org', 'C', 'Yd') returning id`,
    );
    const at = `/people/${made!.id}`;
    expect(inputOf(await anna.page(at), 'adopt-username')).to.match(/\srequired\s/);
    const refused = await anna.post(`${at}/adopt`, { username: 'ada', feed: 'default' }, at);
    const again = await refused.text();
    expect([refused.status, htmlProblems(again)]).to.deep.equal([400, []]);
    expect(again).to.match(/<details id="adopt" open>.*role="alert">.*belongs to feed.*already/s);
    expect(inputOf(again, 'adopt-username')).to.include('value="ada"');
  });

  it('are for operators, not for viewers', async () => {
    await using http = await withBatch([record('ada')]);
    const vera = await http.signIn('viewer');
    const at = await pathOf(http, 'ada');
    for (const path of ['/people', at]) expect((await vera.get(path)).status, path).to.equal(403);
    expect((await vera.post('/people', { who: 'ada' })).status).to.equal(403);
    for (const act of ['look-again', 'protect', 'pin', 'end', 'adopt']) {
      expect((await vera.post(`${at}/${act}`, { reason: 'x' })).status, act).to.equal(403);
    }
  });

  it('show what a feed holds as text, whatever it is', async () => {
    const job = `${HOSTILE} javascript:alert(2)`;
    await using http = await withBatch([
      record('ada', { FIRST_NAME: HOSTILE, JOB_TITLE: job, HOMEPAGE: 'javascript:alert(3)' }),
    ]);
    const oscar = await http.signIn('operator');
    const page = await wellFormed(oscar, await pathOf(http, 'ada'));
    expect(page)
      .not.to.include('<script>alert')
      .and.not.include('\u001b')
      .and.not.match(/href="javascript/);
    expect(page).to.include('&lt;script&gt;alert(1)&lt;/script&gt;');
  });
});

async function withBatch(users: readonly object[]): Promise<HttpSite> {
  const http = await HttpSite.open();
  await http.site.drop('users.json', users);
  await http.site.atRest(1, 'complete');
  return http;
}

async function pathOf(http: HttpSite, username: string): Promise<string> {
  const [found] = await http.app.database.query<{ id: number }>('select id from directory.users where username = $1', [
    username,
  ]);
  return `/people/${found!.id}`;
}

async function lookUps(http: HttpSite, username: string): Promise<number> {
  const rows = await listAudit(http.app.database, { limit: 100, subject: username });
  return rows.filter(({ action }) => action === 'person-looked-up').length;
}

function inputOf(page: string, id: string): string {
  return new RegExp(`<input\\s+id="${id}"[^>]*>`).exec(page)?.[0] ?? '';
}

async function wellFormed(who: SignedIn, path: string): Promise<string> {
  const page = await who.page(path);
  expect(htmlProblems(page), path).to.deep.equal([]);
  return page;
}
