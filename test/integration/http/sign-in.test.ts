import { expect } from 'chai';
import { htmlProblems } from '../../support/html-check.js';
import { form, HttpSite, PASSWORD } from '../../support/http-site.js';

describe('Setting up', () => {
  it('makes the first admin of whoever has the code of the log, and of nobody else', async () => {
    await using http = await HttpSite.open();
    expect((await http.fetch('/')).headers.get('location')).to.equal('/sign-in');
    expect((await http.fetch('/sign-in')).headers.get('location')).to.equal('/setup');
    expect((await http.fetch('/setup')).status).to.equal(200);
    const code = http.log.entries.map(({ message }) => /setup is (\d{8})$/.exec(message)?.[1]).find((found) => found);
    const fields = { name: 'Ada', password: PASSWORD, again: PASSWORD };
    const wrong = await http.fetch('/setup', form({ ...fields, code: '12345678' }));
    expect([wrong.status, await wrong.text()].join()).to.match(/^400,.*not the code/s);
    const differs = await http.fetch('/setup', form({ ...fields, code: code!, again: 'something else' }));
    expect(await differs.text()).to.include('not the same');
    const weak = await http.fetch('/setup', form({ ...fields, code: code!, password: 'short', again: 'short' }));
    expect(await weak.text(), 'what was typed, but for the password')
      .to.include('12 to 256 characters')
      .and.include(`value="${code}"`)
      .and.include('value="Ada"')
      .and.not.include('short');
    const made = await http.fetch('/setup', form({ ...fields, code: code! }));
    expect([made.status, made.headers.get('location')]).to.deep.equal([303, '/']);
    const cookie = made.headers
      .getSetCookie()
      .find((line) => line.startsWith('user-sync=') && !line.includes('Expires'));
    expect(cookie).to.match(/HttpOnly; SameSite=Lax/);
    const again = await http.fetch('/setup', form({ ...fields, name: 'Eve', code: code! }));
    expect(again.headers.get('location')).to.equal('/sign-in');
  });
});

describe('Signing in', () => {
  it('lets somebody in who knows the password, and out again', async () => {
    await using http = await HttpSite.open();
    const ada = await http.signIn('viewer', 'Ada');
    const page = await ada.get('/');
    expect(page.status).to.equal(200);
    expect(page.headers.get('cache-control')).to.equal('no-store');
    expect(page.headers.get('content-security-policy'))
      .to.include("default-src 'none'")
      .and.include("frame-ancestors 'none'");
    expect(await page.text()).to.include('Ada');
    expect((await ada.post('/sign-out', {})).headers.get('location')).to.equal('/sign-in');
    expect((await ada.get('/')).headers.get('location')).to.equal('/sign-in');
  });

  it('leads to the page that was asked for, also after a wrong password', async () => {
    await using http = await HttpSite.open();
    const ada = await http.signIn('viewer', 'Ada');
    const asked = await http.fetch('/runs?feed=default&status=held');
    const [, to = ''] = /^\/sign-in\?to=(.*)$/.exec(asked.headers.get('location') ?? '') ?? [];
    expect(decodeURIComponent(to)).to.equal('/runs?feed=default&status=held');
    const page = await http.fetch(`/sign-in?to=${to}`);
    const hidden = hiddenTo(await page.text());
    expect(hidden).to.equal('/runs?feed=default&status=held');
    const wrong = await http.fetch('/sign-in', form({ name: 'Ada', password: 'not this one', to: hidden! }));
    const again = await wrong.text();
    expect([wrong.status, hiddenTo(again), htmlProblems(again)]).to.deep.equal([401, hidden, []]);
    const right = await http.fetch('/sign-in', form({ name: 'Ada', password: PASSWORD, to: hidden! }));
    expect([right.status, right.headers.get('location')]).to.deep.equal([303, hidden]);
    expect((await ada.get(`/sign-in?to=${to}`)).headers.get('location'), 'who is signed in').to.equal(hidden);
    const paths = ['/runs/1/plan.csv', '/runs/1/live', '/runs/1/files/users', '/workbench/control.json'];
    for (const path of [...paths, '/feeds/default/quarantine/1'])
      expect((await http.fetch(path)).headers.get('location'), path).to.equal('/sign-in');
  });

  it('leads to no other site, whatever an address or a form says', async () => {
    await using http = await HttpSite.open();
    const ada = await http.signIn('viewer', 'Ada');
    for (const to of [
      'https://evil.example/',
      '//evil.example',
      '/\\evil.example',
      '/\t/evil.example',
      '/\r\n/evil.example',
      '/.//evil.example',
      '/x/..//evil.example',
      '/./\\evil.example',
      ' //evil.example',
      'javascript:alert(1)',
      'evil.example',
      '',
      `/${'x'.repeat(3000)}`,
    ]) {
      const address = `/sign-in?${new URLSearchParams({ to }).toString()}`;
      expect((await ada.get(address)).headers.get('location'), `signed in, ${to}`).to.equal('/');
      expect(hiddenTo(await (await http.fetch(address)).text()), `in the form, ${to}`).to.equal(undefined);
    }
    const sent = await http.fetch('/sign-in', form({ name: 'Ada', password: PASSWORD, to: '//evil.example' }));
    expect([sent.status, sent.headers.get('location')]).to.deep.equal([303, '/']);
  });

  it('says after a session has ended that what was sent was not done', async () => {
    await using http = await HttpSite.open();
    const ada = await http.signIn('admin', 'Ada');
    const csrf = await csrfOf(ada.page('/'));
    await http.app.database.query(`update sync.session set seen_at = now() - interval '1 hour'`);
    const sent = await ada.postAs('/feeds/default/settings/autoApply', { _csrf: csrf, value: 'off' });
    expect([sent.status, sent.headers.get('location')]).to.deep.equal([303, '/sign-in?unsent=1']);
    const page = await (await http.fetch('/sign-in?unsent=1')).text();
    expect(htmlProblems(page)).to.deep.equal([]);
    expect(page).to.match(/role="alert">Your session had ended, so what you sent was not done/);
    expect((await http.app.feed('default')).autoApply).to.equal(true);
  });

  it('tells nobody whether the name or the password is wrong, and locks a name out for a while', async () => {
    await using http = await HttpSite.open();
    await http.signIn('viewer', 'Ada');
    const unknown = await http.fetch('/sign-in', form({ name: 'Nobody', password: PASSWORD }));
    const wrong = await http.fetch('/sign-in', form({ name: 'Ada', password: 'a wrong password' }));
    expect([unknown.status, wrong.status]).to.deep.equal([401, 401]);
    const said = (text: string): string | undefined => /class="notice bad"[^>]*>([^<]*)/.exec(text)?.[1];
    expect(said(await unknown.text())).to.equal(said(await wrong.text()));
    for (let tries = 0; tries < 4; tries++)
      await http.fetch('/sign-in', form({ name: 'Ada', password: 'wrong again' }));
    const locked = await http.fetch('/sign-in', form({ name: 'ada', password: PASSWORD }));
    expect(locked.status).to.equal(401);
    const audit = await http.app.database.query<{ action: string; actor: string }>(
      'select action, actor from sync.audit',
    );
    expect(audit.map(({ action }) => action)).to.include.members(['sign-in', 'sign-in-failed', 'sign-in-locked']);
    expect(JSON.stringify(audit)).not.to.include('Nobody');
  });

  it('is refused after many attempts from one address', async () => {
    await using http = await HttpSite.open();
    await http.signIn('viewer');
    const statuses: number[] = [];
    for (let tries = 0; tries < 12; tries++) {
      statuses.push((await http.fetch('/sign-in', form({ name: `n${tries}`, password: 'x' }))).status);
    }
    expect(statuses.slice(-2)).to.deep.equal([429, 429]);
  }).timeout(60_000);

  it('gives a new session each time, which ends with the old one, after half an hour, and after twelve hours', async () => {
    await using http = await HttpSite.open();
    const ada = await http.signIn('viewer', 'Ada');
    const again = await http.fetch('/sign-in', {
      ...form({ name: 'Ada', password: PASSWORD, _csrf: await csrfOf(ada.page('/')) }),
      headers: { ...form({}).headers, cookie: ada.cookie },
    });
    expect(again.status).to.equal(303);
    expect((await ada.get('/')).status).to.equal(303);
    for (const column of ['seen_at', 'created_at']) {
      const bob = await http.signIn('viewer', `Bob ${column}`);
      expect((await bob.get('/')).status).to.equal(200);
      const hours = column === 'seen_at' ? 0.6 : 13;
      await http.app.database.query(`update sync.session set ${column} = now() - $1 * interval '1 hour'`, [hours]);
      expect((await bob.get('/')).status, column).to.equal(303);
    }
  });
});

describe('A forged form', () => {
  it('is refused: without the token, with one of another session, or from another site', async () => {
    await using http = await HttpSite.open();
    const ada = await http.signIn('viewer', 'Ada');
    const bob = await http.signIn('viewer', 'Bob');
    const token = await csrfOf(ada.page('/'));
    expect((await ada.postAs('/sign-out', {})).status).to.equal(403);
    expect((await ada.postAs('/sign-out', { _csrf: await csrfOf(bob.page('/')) })).status).to.equal(403);
    const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    expect((await ada.postAs('/sign-out', { _csrf: token }, foreign)).status).to.equal(403);
    const signIn = form({ name: 'Ada', password: PASSWORD });
    const forged = await http.fetch('/sign-in', { ...signIn, headers: { ...signIn.headers, ...foreign } });
    expect(forged.status).to.equal(403);
    expect((await ada.postAs('/sign-out', { _csrf: token })).status).to.equal(303);
  });
});

/** Where the form leads that a page has. */
function hiddenTo(page: string): string | undefined {
  return /name="to" value="([^"]*)"/.exec(page)?.[1]?.replaceAll('&amp;', '&');
}

async function csrfOf(page: Promise<string>): Promise<string> {
  return /name="_csrf" value="([^"]+)"/.exec(await page)?.[1] ?? '';
}
