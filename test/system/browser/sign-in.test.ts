import { expect } from 'chai';
import { HttpSite, PASSWORD } from '../../support/http-site.js';
import { inBrowser, Window } from '../../support/browser.js';

inBrowser('The first set-up and signing in', (browser) => {
  it('lead from nothing to the overview, with a problem on the way', async () => {
    await using http = await HttpSite.open();
    await using window = await Window.open(browser(), http.origin);
    const { page } = window;
    await page.goto('/');
    expect(await page.title()).to.equal('Set up · User sync');
    expect(await window.violations()).to.deep.equal([]);
    await window.picture('setup');
    const code = http.log.entries.map(({ message }) => /setup is (\d{8})$/.exec(message)?.[1]).find((found) => found);
    const fields = { 'Your name': 'Ada', Password: PASSWORD, 'Password again': PASSWORD };
    await window.send('Make the first admin', { ...fields, 'Set-up code': '00000000' });
    expect(await page.getByRole('alert').innerText()).to.include('not the code');
    await window.send('Make the first admin', { ...fields, 'Set-up code': code! });
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await window.send('Sign in', { Name: 'Ada', Password: 'not the password' });
    expect(await page.getByRole('alert').innerText()).to.include('do not go together');
    await window.send('Sign in', { Name: 'Ada', Password: PASSWORD });
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    expect(window.complaints.filter((text) => !text.includes('status of 40'))).to.deep.equal([]);
  });

  it('work with the keyboard alone, and without JavaScript', async () => {
    await using http = await HttpSite.open();
    await http.signIn('viewer', 'Ada');
    for (const script of [true, false]) {
      await using window = await Window.open(browser(), http.origin, { script });
      const { page } = window;
      await page.goto('/sign-in');
      // Past the link to the content and the brand.
      for (let steps = 0; steps < 3; steps++) await page.keyboard.press('Tab');
      await page.keyboard.type('Ada');
      await page.keyboard.press('Tab');
      await page.keyboard.type(PASSWORD);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
      await page.keyboard.press('Tab');
      expect(await page.evaluate('document.activeElement.textContent')).to.equal('Skip to content');
    }
  });
});
