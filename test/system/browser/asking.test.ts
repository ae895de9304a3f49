import { expect } from 'chai';
import { record } from '../../support/daemon-site.js';
import { inBrowser, NARROW, WIDE, Window } from '../../support/browser.js';
import { eventually } from '../../support/eventually.js';
import { HttpSite, PASSWORD } from '../../support/http-site.js';

inBrowser('Questions and refused forms in a browser', (browser) => {
  it('lead from the address of a mail over signing in to what it says, and ask before a file is gone', async () => {
    await using http = await siteWithFile();
    await http.signIn('admin', 'Ada');
    for (const script of [true, false]) {
      await using window = await Window.open(browser(), http.origin, { script });
      const { page } = window;
      await page.goto('/runs/1');
      await window.send('Sign in', { Name: 'Ada', Password: 'not the password' });
      await window.send('Sign in', { Name: 'Ada', Password: PASSWORD });
      await page.getByRole('heading', { name: /^Run 1/ }).waitFor();
      await page.goto('/feeds/default');
      await page.getByRole('link', { name: 'Delete…' }).first().click();
      await page.getByRole('heading', { name: 'Delete this file?' }).waitFor();
      await page.getByRole('link', { name: 'Back to the feed' }).click();
      expect(await http.daemon.quarantine.list()).to.have.length(script ? 2 : 1);
      await page.getByRole('link', { name: 'Delete…' }).first().click();
      await window.send('Delete it');
      await page.getByRole('heading', { name: 'Feed default' }).waitFor();
      expect(await http.daemon.quarantine.list()).to.have.length(script ? 1 : 0);
    }
  });

  it('fit a telephone and a desk, in light and dark, without serious violations', async () => {
    await using http = await siteWithFile();
    const key = await http.key('upload', 'default');
    const [file] = await http.daemon.quarantine.list();
    const [made] = await http.app.database.query<{ id: number }>(
      `insert into directory.account (email, name_first, name_last) values ('cyd@example.org', 'C', 'Yd') returning id`,
    );
    const ada = await personOf(http, 'ada');
    const looks: Readonly<Record<string, (window: Window) => Promise<void>>> = {
      feed: at('/feeds/default'),
      delete: at(`/feeds/default/quarantine/${file!.id}/delete`),
      'refused-setting': refusal('/feeds/default', '#expect', 'Save', { 'By (HH:MM, empty for no alarm)': '25:00' }),
      'refused-guards': refusal('/feeds/default', '#guards', 'Save', { 'beyond this fall in points': '-5' }),
      access: at('/access'),
      'refused-key': refusal('/access', 'main', 'Create key', {}),
      'refused-person': refusal('/access', 'main', 'Add person', { Password: 'short' }),
      revoke: at(`/access/keys/${key.id}/revoke`),
      person: at(ada),
      'refused-pin': refusal(ada, '#pin', 'Pin', { Value: 'nobody', Reason: 'as she wished' }),
      'refused-protection': refusal(ada, '#protect', 'Protect', { Reason: 'on leave', ...PAST }),
      'refused-adoption': refusal(`/people/${made!.id}`, '#adopt', 'Adopt', { Username: 'ada' }),
      'session-ended': async ({ page }) => {
        await page.goto(ada);
        const cookies = await page.context().cookies();
        await page.context().clearCookies();
        await page.getByRole('button', { name: 'Retry in the next run' }).click();
        await page.getByText('Your session had ended').waitFor();
        await page.context().addCookies(cookies);
      },
    };
    for (const [size, name] of [
      [WIDE, 'wide'],
      [NARROW, 'narrow'],
    ] as const) {
      await using window = await Window.signedIn(browser(), http, { size });
      for (const [look, open] of Object.entries(looks)) {
        await open(window);
        await fits(window, `${look}-${name}`);
      }
      await using viewer = await Window.signedIn(browser(), http, { size, role: 'viewer' });
      await viewer.page.goto('/feeds/default');
      await viewer.page.locator('summary', { hasText: 'Limits' }).click();
      await fits(viewer, `limits-${name}`);
    }
  }).timeout(240_000);
});

const PAST = { 'Until the end of (not needed)': '2020-01-31' };

function at(path: string): (window: Window) => Promise<void> {
  return async ({ page }) => {
    await page.goto(path);
  };
}

/** Fills the form that is folded at a place of a page, and sends it past what the browser itself would say. */
function refusal(
  path: string,
  place: string,
  button: string,
  fields: Readonly<Record<string, string>>,
): (window: Window) => Promise<void> {
  return async ({ page }) => {
    await page.goto(path);
    const part = page.locator(place);
    const summary = part.locator('summary').first();
    if (place !== 'main') await summary.click();
    for (const [label, value] of Object.entries(fields)) await part.getByLabel(label, { exact: true }).fill(value);
    await page.evaluate('for (const form of document.forms) form.noValidate = true');
    await part.getByRole('button', { name: button, exact: true }).click();
    await page.getByRole('alert').waitFor();
    expect(await part.getByRole('alert').isVisible(), place).to.equal(true);
  };
}

async function fits(window: Window, name: string): Promise<void> {
  expect(await window.isTooWide(), name).to.equal(false);
  await window.picture(name);
  expect(await window.violations(), name).to.deep.equal([]);
}

async function personOf(http: HttpSite, username: string): Promise<string> {
  const [found] = await http.app.database.query<{ id: number }>('select id from directory.users where username = $1', [
    username,
  ]);
  return `/people/${found!.id}`;
}

/** A batch that is applied, and two files that were set aside. */
async function siteWithFile(): Promise<HttpSite> {
  const http = await HttpSite.open({ default: { guards: { 'first-run': 'off' } } });
  await http.site.drop('users.json', [record('ada', { JOB_TITLE: 'Reader' }), record('bob')]);
  await http.site.atRest(1, 'complete');
  await http.site.drop('strange.json', '[]');
  await http.site.drop(`${'a-long-name-of-a-file-that-nobody-expected-'.repeat(3)}.json`, '[]');
  await eventually('quarantine', async () => ((await http.daemon.quarantine.list()).length === 2 ? true : undefined));
  return http;
}
