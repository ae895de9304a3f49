import { expect } from 'chai';
import { principalOfKey } from '../../../src/access/keys.js';
import { form, HttpSite, PASSWORD } from '../../support/http-site.js';
import { htmlProblems } from '../../support/html-check.js';

describe('The page about access', () => {
  it('makes a key whose secret is shown once, and revokes it', async () => {
    await using http = await HttpSite.open({ second: {} });
    const anna = await http.signIn('admin');
    expect(await anna.page('/access')).to.include('No API keys yet');
    const made = await anna.post(
      '/access/keys',
      { name: 'HR <b>', scope: 'upload', feed: 'second', expires: '2099-01-31' },
      '/access',
    );
    const text = await made.text();
    expect(htmlProblems(text)).to.deep.equal([]);
    const [, secret = ''] = /<pre class="secret">(usersync_[\w-]+)<\/pre>/.exec(text) ?? [];
    const key = await principalOfKey(http.app.database, secret, new Date());
    expect(key).to.deep.include({ kind: 'key', feed: 'second', actor: 'key HR <b>' });
    expect([key!.may('upload'), key!.may('view-runs')]).to.deep.equal([true, false]);
    const page = await anna.page('/access');
    expect(htmlProblems(page)).to.deep.equal([]);
    expect(page).not.to.include(secret).and.not.include('HR <b>');
    expect(page).to.include('HR &lt;b&gt;');
    const [, id] = /\/access\/keys\/(\d+)\/revoke/.exec(page) ?? [];
    expect(page, 'a link, no button that does it').to.include(`href="/access/keys/${id}/revoke"`);
    const question = await anna.page(`/access/keys/${id}/revoke`);
    expect(htmlProblems(question)).to.deep.equal([]);
    expect(question).to.include('Revoke the key “HR &lt;b&gt;”?').and.include('Nothing has happened yet');
    expect(await principalOfKey(http.app.database, secret, new Date()), 'who only asked').not.to.equal(undefined);
    expect((await anna.get('/access/keys/77/revoke')).status).to.equal(404);
    await anna.post(`/access/keys/${id}/revoke`, {}, `/access/keys/${id}/revoke`);
    expect(await principalOfKey(http.app.database, secret, new Date())).to.equal(undefined);
    expect(await anna.page('/access')).to.include('revoked');
    const stored = await http.app.database.query<{ everything: string }>(
      'select api_key::text as everything from sync.api_key',
    );
    expect(JSON.stringify(stored)).not.to.include(secret);
  });

  it('refuses keys without a name, for feeds that are not there, and of scopes that are not', async () => {
    await using http = await HttpSite.open();
    const anna = await http.signIn('admin');
    const good = { name: 'x', scope: 'read', feed: '', expires: '' };
    for (const wrong of [{ name: ' ' }, { scope: 'root' }, { feed: 'none' }, { expires: 'soon' }]) {
      const answer = await anna.post('/access/keys', { ...good, ...wrong }, '/access');
      expect(answer.status).to.equal(400);
      expect(await answer.text(), JSON.stringify(wrong)).to.include('A key has a name');
    }
    const refused = await anna.post('/access/keys', { ...good, name: 'HR "export"', expires: 'soon' }, '/access');
    const text = await refused.text();
    expect(text, 'what was typed').to.include('value="HR &quot;export&quot;"').and.include('value="soon"');
    expect(text, 'what was chosen').to.match(/<option value="read" selected>/);
    expect(htmlProblems(text)).to.deep.equal([]);
    expect(await http.app.database.query('select from sync.api_key')).to.have.length(0);
  });

  it('adds people who can sign in then, and removes them with their sessions, but not the last admin', async () => {
    await using http = await HttpSite.open();
    const anna = await http.signIn('admin', 'Anna');
    const weak = await anna.post('/access/people', { name: 'Bob', role: 'operator', password: 'short' }, '/access');
    const refused = await weak.text();
    expect([weak.status, refused].join()).to.match(/^400,.*12 to 256 characters/s);
    expect(refused, 'what was typed, but for the password')
      .to.match(/value="Bob".*<option value="operator" selected>/s)
      .and.not.include('short');
    expect(htmlProblems(refused)).to.deep.equal([]);
    await anna.post('/access/people', { name: 'Bob', role: 'viewer', password: PASSWORD }, '/access');
    const twice = await anna.post('/access/people', { name: 'bob', role: 'admin', password: PASSWORD }, '/access');
    expect(await twice.text()).to.include('Choose another name');
    const signedIn = await http.fetch('/sign-in', form({ name: 'Bob', password: PASSWORD }));
    const cookie = signedIn.headers.getSetCookie().at(-1)?.split(';')[0] ?? '';
    expect((await http.fetch('/', { headers: { cookie } })).status).to.equal(200);
    const page = await anna.page('/access');
    const [forAnna = '', forBob = ''] = page.match(/\/access\/people\/\d+\/remove/g) ?? [];
    const last = await anna.post(forAnna, {}, forAnna);
    const stays = await last.text();
    expect([last.status, stays].join()).to.match(/^409,.*<h1>Remove Anna\?.*role="alert">.*the only admin/s);
    expect(htmlProblems(stays)).to.deep.equal([]);
    const question = await anna.page(forBob);
    expect(htmlProblems(question)).to.deep.equal([]);
    expect(question).to.include('Remove Bob?').and.include('They are signed out at once');
    expect(await anna.page(forAnna)).to.include('This is you');
    expect((await http.fetch('/', { headers: { cookie } })).status, 'who only asked').to.equal(200);
    await anna.post(forBob, {}, forBob);
    expect((await anna.get(forBob)).status).to.equal(404);
    expect((await http.fetch('/', { headers: { cookie } })).status).to.equal(303);
  });

  it('is for admins, who read in the audit log what everybody did', async () => {
    await using http = await HttpSite.open();
    const oscar = await http.signIn('operator');
    for (const path of ['/access', '/access/audit', '/access/keys/1/revoke', '/access/people/1/remove'])
      expect((await oscar.get(path)).status).to.equal(403);
    for (const path of ['/access/keys', '/access/keys/1/revoke', '/access/people', '/access/people/1/remove']) {
      expect((await oscar.post(path, { name: 'x' })).status, path).to.equal(403);
    }
    const anna = await http.signIn('admin');
    await anna.post('/access/people', { name: 'Bob', role: 'viewer', password: PASSWORD }, '/access');
    const log = await anna.page('/access/audit');
    expect(htmlProblems(log)).to.deep.equal([]);
    expect(log).to.include('operator-added').and.include('sign-in').and.include('127.0.0.1');
  });
});

describe('The page for the own password', () => {
  it('changes it for whoever knows the old one, and signs out everywhere else', async () => {
    await using http = await HttpSite.open();
    const ada = await http.signIn('viewer', 'Ada');
    const again = await http.fetch('/sign-in', form({ name: 'Ada', password: PASSWORD }));
    const elsewhere = again.headers.getSetCookie().at(-1)?.split(';')[0] ?? '';
    expect((await http.fetch('/', { headers: { cookie: elsewhere } })).status).to.equal(200);
    const fresh = 'five other words do too';
    const wrong = await ada.post('/account', { current: 'not this one', password: fresh, again: fresh }, '/account');
    expect([wrong.status, await wrong.text()].join()).to.match(/^400,.*not your password now/s);
    const differs = await ada.post('/account', { current: PASSWORD, password: fresh, again: PASSWORD }, '/account');
    expect(await differs.text()).to.include('not the same');
    const changed = await ada.post('/account', { current: PASSWORD, password: fresh, again: fresh }, '/account');
    expect(changed.headers.get('location')).to.equal('/account?changed');
    expect((await http.fetch('/', { headers: { cookie: elsewhere } })).status).to.equal(303);
    expect((await http.fetch('/sign-in', form({ name: 'Ada', password: PASSWORD }))).status).to.equal(401);
    expect((await http.fetch('/sign-in', form({ name: 'Ada', password: fresh }))).status).to.equal(303);
  });
});
