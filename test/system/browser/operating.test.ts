import { expect } from 'chai';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../../src/lib/package-root.js';
import { record } from '../../support/daemon-site.js';
import { inBrowser, NARROW, WIDE, Window } from '../../support/browser.js';
import { HttpSite } from '../../support/http-site.js';

const STAFF = Array.from({ length: 30 }, (_, index) => record(`user${index}`, { JOB_TITLE: 'Reader' }));

/** Everything but the last few, of whom a guard says that they are too many; one changed, one new. */
const FEWER = [record('user0', { JOB_TITLE: 'Dean' }), ...STAFF.slice(1, 20), record('new')];

inBrowser('An operator in a browser', (browser) => {
  it('watches a run, decides about a held one, looks somebody up and takes the run back', async () => {
    await using http = await heldSite();
    await using window = await Window.signedIn(browser(), http);
    const { page } = window;
    await window.picture('overview');
    expect(await window.violations()).to.deep.equal([]);
    await page.getByRole('main').getByRole('link', { name: /run 2/i }).first().click();
    await page.getByRole('heading', { name: /^Run 2/ }).waitFor();
    expect(await page.getByRole('main').innerText()).to.match(/10 users would be blocked/);
    expect(await window.violations()).to.deep.equal([]);
    await window.picture('run-held');
    await page.getByRole('link', { name: 'Plan', exact: true }).click();
    await page.getByRole('heading', { name: /^Plan of run 2/ }).waitFor();
    expect(await window.violations()).to.deep.equal([]);
    await window.picture('plan');
    await page.getByRole('link', { name: 'Summary' }).click();
    await page.getByRole('link', { name: 'Approve…', exact: true }).click();
    await window.picture('approve');
    expect(await window.violations()).to.deep.equal([]);
    await page.getByLabel('Why it is right').fill('They really left');
    await page.getByRole('button', { name: /^Approve/ }).click();
    await page.getByRole('main').getByText('complete', { exact: true }).first().waitFor();
    expect((await http.site.users())['user25']).to.equal(false);

    await page.getByRole('link', { name: 'People' }).click();
    await window.send('Look up', { 'Username or e-mail address': 'USER25' });
    await page.getByRole('heading', { name: /user25/ }).waitFor();
    expect(await page.getByRole('main').innerText())
      .to.match(/blocked/)
      .and.match(/JOB_TITLE/);
    expect(await window.violations()).to.deep.equal([]);
    await window.picture('person');

    await page.goto('/runs/2');
    await page.getByRole('link', { name: /^Revert/ }).click();
    await page.getByRole('button', { name: 'Take the run back' }).click();
    await page.getByRole('heading', { name: /^Run 3/ }).waitFor();
    await page
      .getByRole('main')
      .getByText(/^(complete|held)$/)
      .first()
      .waitFor();
    expect(window.complaints).to.deep.equal([]);
  });

  it('does the same without JavaScript', async () => {
    await using http = await heldSite();
    await using window = await Window.signedIn(browser(), http, { script: false });
    const { page } = window;
    await page.goto('/runs/2');
    await page.getByRole('link', { name: 'Approve…', exact: true }).click();
    await page.getByLabel('Why it is right').fill('They really left');
    await page.getByRole('button', { name: /^Approve/ }).click();
    await http.site.atRest(2, 'complete');
    await page.goto('/runs/2');
    expect(await page.getByRole('main').innerText()).to.include('complete');
    await page.goto('/people');
    await window.send('Look up', { 'Username or e-mail address': 'user25@example.org' });
    await page.getByRole('heading', { name: /user25/ }).waitFor();
  });

  it('sees moments in the own time zone, and a run go on without loading the page again', async () => {
    await using http = await HttpSite.open();
    await using window = await Window.signedIn(browser(), http);
    const { page } = window;
    await http.site.testDatabase.administrator.database.query(
      `create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(0.1); return new; end $$;
       create trigger slow before insert on directory.account for each row execute function slow()`,
    );
    await http.site.drop('users.json', STAFF);
    await http.site.atRest(0, 'applying', 'complete', 'planning', 'ready');
    await page.goto('/runs/1').catch(() => undefined);
    while ((await page.title()).startsWith('Error')) await page.goto('/runs/1');
    await page.getByRole('main').getByText('complete', { exact: true }).first().waitFor();
    const [run] = await http.site.runs();
    const shown = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'Asia/Tokyo' });
    expect(await page.getByRole('main').innerText()).to.include(shown.format(run!.createdAt));
    expect(window.complaints.filter((text) => !text.includes('404'))).to.deep.equal([]);
  });

  it('makes an API key with the keyboard alone', async () => {
    await using http = await HttpSite.open();
    await using window = await Window.signedIn(browser(), http);
    const { page } = window;
    await page.goto('/access');
    expect(await window.violations()).to.deep.equal([]);
    await window.picture('access');
    await page.getByLabel('Name', { exact: true }).first().focus();
    await page.keyboard.type('HR export');
    for (let steps = 0; steps < 10; steps++) {
      await page.keyboard.press('Tab');
      if ((await page.evaluate<string>('document.activeElement.tagName')) === 'BUTTON') break;
    }
    await page.keyboard.press('Enter');
    expect(await page.getByText(/^usersync_/).innerText()).to.match(/^usersync_[\w-]{43}$/);
    expect(window.complaints).to.deep.equal([]);
  });

  it('sends a control file with a mistake, is shown where it is, and mends it', async () => {
    await using http = await heldSite();
    await using window = await Window.signedIn(browser(), http);
    const { page } = window;
    const folder = await mkdtemp(join(tmpdir(), 'user-sync-browser-'));
    const file = join(folder, 'control.json');
    const good = await readFile(join(packageRoot(), 'config', 'examples', 'control.json'), 'utf8');
    await writeFile(file, good.replace('"nameFirst"', '"nameFrist"'));
    await page.getByRole('link', { name: 'Feeds' }).click();
    await page.getByRole('link', { name: 'default' }).click();
    await page.getByText('Send a new one').click();
    await page.getByLabel('A file').setInputFiles(file);
    await page.getByRole('button', { name: 'Check, and put in force' }).click();
    const problem = await page.locator('.problems').innerText();
    expect(problem)
      .to.match(/\d+:\d+ \/instructions\/\d+\/name/)
      .and.include('nameFirst');
    expect(await window.violations()).to.deep.equal([]);
    await window.picture('control-problem');
    const text = page.getByLabel('Or its text');
    await text.fill((await text.inputValue()).replace('nameFrist', 'nameFirst').replace('{', '{ '));
    await page.getByRole('button', { name: 'Check, and put in force' }).click();
    await page.getByRole('heading', { name: 'Feed default' }).waitFor();
    expect(await page.getByText('In force: number').innerText()).to.equal('In force: number 2');
    await rm(folder, { recursive: true });
    expect(window.complaints.filter((complaint) => !complaint.includes('400'))).to.deep.equal([]);
  });

  it('has pages that fit a telephone and a desk, in light and dark, without serious violations', async () => {
    await using http = await heldSite();
    const [account] = await http.app.database.query<{ id: number }>('select min(id) as id from directory.account');
    const paths = [
      '/',
      '/runs',
      '/runs/1',
      '/runs/2',
      '/runs/2/plan',
      '/runs/2/log',
      '/people',
      `/people/${account!.id}`,
      '/feeds',
      '/feeds/default',
      '/workbench',
      '/access',
      '/access/audit',
      '/account',
    ];
    for (const [size, name] of [
      [WIDE, 'wide'],
      [NARROW, 'narrow'],
    ] as const) {
      await using window = await Window.signedIn(browser(), http, { size });
      for (const path of paths) {
        await window.page.goto(path);
        expect(await window.isTooWide(), `${path} ${name}`).to.equal(false);
        expect(await window.violations(), `${path} ${name}`).to.deep.equal([]);
        await window.picture(`page${path.replaceAll('/', '-')}-${name}`);
      }
    }
  });
});

/** A first batch that is applied, and a second one that is held. */
async function heldSite(): Promise<HttpSite> {
  const http = await HttpSite.open({ default: { guards: { 'first-run': 'off' } } });
  await http.site.drop('users.json', STAFF);
  await http.site.atRest(1, 'complete');
  await http.site.drop('users.json', FEWER);
  await http.site.atRest(2);
  return http;
}
