import { expect } from 'chai';
import { rm } from 'node:fs/promises';
import { listAudit } from '../../../src/db/audit.js';
import { Lease } from '../../../src/db/lease.js';
import { runTransitions } from '../../../src/db/run-details.js';
import { findRun, runFiles, type RunRow } from '../../../src/db/runs.js';
import { changeSettings } from '../../../src/settings/feed-settings.js';
import { record } from '../../support/daemon-site.js';
import { eventually } from '../../support/eventually.js';
import { htmlProblems } from '../../support/html-check.js';
import { HttpSite, type SignedIn } from '../../support/http-site.js';

const GUARDED = { default: { guards: { blocked: { share: 0.1, count: 2 } } } };
const TEN = Array.from({ length: 10 }, (_, index) => record(`user${index}`));

describe('Deciding on the page of a run', () => {
  it('applies a held run once somebody approved it, with name and reason', async () => {
    await using http = await HttpSite.open(GUARDED);
    await http.site.drop('users.json', TEN);
    await http.site.atRest(1, 'held');
    const ada = await http.signIn('operator', 'Ada');
    const overview = await ada.page('/');
    expect(overview).to.match(/Run 1<\/a> of feed default waits for a decision/);
    expect(overview).to.include('Nothing of this feed was applied before; 10 users would be added.');
    const page = await ada.page('/runs/1');
    expect(page).to.include('href="/runs/1/approve"').and.include('href="/runs/1/cancel"');
    expect(page).not.to.include('approve-without-blocks');
    const question = await ada.page('/runs/1/approve');
    expect(htmlProblems(question)).to.deep.equal([]);
    expect(question).to.include('10 users will be added').and.include('Nobody will be blocked');
    const unsaid = await ada.post('/runs/1/approve', { reason: '  ' }, '/runs/1/approve');
    expect([unsaid.status, await unsaid.text()].join()).to.match(/^400,.*Say why/s);
    expect((await find(http, 1)).approvedAt).to.equal(null);
    const approved = await ada.post('/runs/1/approve', { reason: 'the <first> batch' }, '/runs/1/approve');
    expect([approved.status, approved.headers.get('location')]).to.deep.equal([303, '/runs/1']);
    await http.site.atRest(1, 'complete');
    const after = await ada.page('/runs/1');
    expect(htmlProblems(after)).to.deep.equal([]);
    expect(after)
      .to.match(/by Ada,/)
      .and.include('the &lt;first&gt; batch')
      .and.not.include('href="/runs/1/approve"');
    const audit = await listAudit(http.app.database, { limit: 5, subject: 'run 1' });
    expect(audit.map(({ actor, action }) => [actor, action])).to.deep.equal([['Ada', 'run-approved']]);
    const late = await ada.post('/runs/1/approve', { reason: 'again' });
    const tooLate = await late.text();
    expect(late.status).to.equal(409);
    expect(htmlProblems(tooLate)).to.deep.equal([]);
    expect(tooLate).to.include('only a held run can be approved').and.include('class="button" href="/runs/1"');
    const asked = await ada.get('/runs/1/approve');
    expect(asked.status).to.equal(409);
    expect(await asked.text()).to.include('Somebody may have been faster');
  });

  it('says in numbers who will be blocked, and can leave the blocks out', async () => {
    await using http = await HttpSite.open(GUARDED);
    const ada = await firstRun(http);
    await http.site.drop('users.json', TEN.slice(0, 6));
    await http.site.atRest(2, 'complete', 'held');
    expect(await ada.page('/runs/2')).to.include('4 users would be blocked: 40 % of those in the feed, limit 10 %');
    const all = await ada.page('/runs/2/approve');
    expect(all).to.include('4 of 10 users (40 %) will be blocked');
    const some = await ada.page('/runs/2/approve-without-blocks');
    expect([...htmlProblems(all), ...htmlProblems(some)]).to.deep.equal([]);
    expect(some).to.include('4 of 10 users (40 %) would have been');
    await ada.post('/runs/2/approve-without-blocks', { reason: 'they are on leave' });
    const [, second] = await http.site.atRest(2, 'complete');
    expect([second!.withoutBlocks, second!.counts.blocked]).to.deep.equal([true, 0]);
    expect(Object.values(await http.site.users())).to.deep.equal(Array.from({ length: 10 }, () => true));
  });

  it('keeps the first of several decisions, and tells the second person whose it is', async () => {
    await using http = await HttpSite.open(GUARDED);
    const { database } = http.app;
    const ada = await firstRun(http);
    const bea = await http.signIn('operator', 'Bea');
    await http.site.drop('users.json', TEN.slice(0, 6));
    await http.site.atRest(2, 'complete', 'held');
    const busy = await Lease.acquire(database, { id: 1, name: 'default' }, 'elsewhere:1:x', 60_000);
    const reason = { reason: 'they are on leave' };
    // Twice, as by a double click.
    for (let click = 0; click < 2; click++) {
      const approved = await ada.post('/runs/2/approve-without-blocks', reason);
      expect([approved.status, approved.headers.get('location')]).to.deep.equal([303, '/runs/2']);
    }
    const late = await bea.post('/runs/2/approve', { reason: 'they have left' });
    expect(late.status).to.equal(409);
    expect(await late.text()).to.include('Run 2 is approved already, by operator, without its blocks');
    await busy?.release();
    const [, second] = await http.site.atRest(2, 'complete');
    expect(second).to.include({ approvedBy: 'operator', withoutBlocks: true });
    expect(second!.counts.blocked).to.equal(0);
    const audit = await listAudit(database, { limit: 5, subject: 'run 2' });
    expect(new Set(audit.map(({ actor }) => actor))).to.deep.equal(new Set(['operator']));
  });

  it('cancels, applies again and takes back', async () => {
    await using http = await HttpSite.open(GUARDED);
    const admin = await firstRun(http, 'admin');
    await http.site.drop('users.json', TEN.slice(0, 5));
    await http.site.atRest(2, 'complete', 'held');
    expect(htmlProblems(await admin.page('/runs/2/cancel'))).to.deep.equal([]);
    await admin.post('/runs/2/cancel', { reason: 'half a file' });
    expect((await find(http, 2)).status).to.equal('cancelled');
    const cancelled = await admin.page('/runs/2');
    expect(cancelled).to.include('The directory is as it was.').and.not.include('href="/runs/2/revert"');
    const again = await admin.post('/runs/2/reapply', {});
    expect(again.headers.get('location')).to.equal('/runs/3');
    await http.site.atRest(3, 'complete', 'held', 'cancelled');
    expect(await admin.page('/runs/3')).to.match(/re-apply of\s*<a href="\/runs\/2">2<\/a>/);
    await admin.post('/runs/3/approve', { reason: 'it was right' });
    await http.site.atRest(3, 'complete', 'cancelled');
    expect(Object.values(await http.site.users()).filter((isActive) => isActive)).to.have.lengthOf(5);
    const question = await admin.page('/runs/3/revert');
    expect(htmlProblems(question)).to.deep.equal([]);
    expect(question).to.include('5 users that it blocked may sign in again');
    expect((await admin.post('/runs/3/revert', {})).headers.get('location')).to.equal('/runs/4');
    await http.site.atRest(4, 'complete', 'cancelled');
    expect(Object.values(await http.site.users()).filter((isActive) => isActive)).to.have.lengthOf(10);
    expect(await admin.page('/runs/1/reapply')).to.match(/Run\s+<a href="\/runs\/3">3<\/a>\s+with a later batch/);
  });

  it('says beside the question why it could not be done, and still asks', async () => {
    await using http = await HttpSite.open(GUARDED);
    const ada = await firstRun(http);
    const [file] = await runFiles(http.app.database, 1);
    await rm(http.app.sync.store.pathOf(file!.digest));
    const refused = await ada.post('/runs/1/reapply', {});
    const text = await refused.text();
    expect([refused.status, htmlProblems(text)]).to.deep.equal([410, []]);
    expect(text)
      .to.match(/<h1>Apply the batch of run 1 again\?<\/h1>.*class="notice bad" role="alert">.*users/s)
      .and.include('href="/runs/1">Back to the run');
    expect(await http.site.runs()).to.have.lengthOf(1);
  });

  it('asks again when the plan had to be made again and breaches a guard that it did not', async () => {
    await using http = await HttpSite.open({ default: { guards: 'off', autoApply: false } });
    const ada = await firstRun(http, 'admin');
    await http.site.drop('users.json', TEN.slice(0, 4));
    await http.site.atRest(2, 'complete', 'held');
    expect(await ada.page('/runs/2')).to.include('No guard is breached.');
    const guards = { blocked: { share: 0.1, count: 2 } };
    await changeSettings(http.app.database, { feed: 'default', changes: { guards }, by: 'test', now: new Date() });
    await http.app.database.query(`update directory.account set name_first = 'By hand' where email like 'user0@%'`);
    await ada.post('/runs/2/approve', { reason: 'as it was' });
    const heldTwice = await eventually('held again', async () => {
      const moves = await runTransitions(http.app.database, 2);
      return moves.filter(({ to }) => to === 'held').length === 2 ? moves : undefined;
    });
    expect(heldTwice.at(-1)?.note).to.include('newly breached: blocked');
    // Longer than a daemon takes to look for runs that were approved.
    await http.site.drop('users.json', TEN.slice(0, 9));
    await http.site.atRest(3, 'complete', 'held');
    const page = await ada.page('/runs/2');
    expect(page).to.include('6 users would be blocked').and.include('href="/runs/2/approve"');
    expect(Object.values(await http.site.users()).filter((isActive) => isActive)).to.have.lengthOf(10);
  });

  it('is for operators and, where a run is taken back, for admins', async () => {
    await using http = await HttpSite.open(GUARDED);
    const operator = await firstRun(http);
    const viewer = await http.signIn('viewer', 'Vera');
    await http.site.drop('users.json', []);
    await http.site.atRest(2, 'complete', 'held');
    expect(await viewer.page('/'))
      .to.include('waits for a decision')
      .and.not.include('/runs/2/approve');
    for (const id of [1, 2])
      expect(await viewer.page(`/runs/${id}`)).not.to.match(/href="\/runs\/\d+\/(approve|cancel|re)/);
    expect(await operator.page('/runs/1'))
      .to.include('/runs/1/reapply')
      .and.not.include('/runs/1/revert');
    for (const [somebody, path] of [
      ...['2/approve', '2/approve-without-blocks', '2/cancel', '1/reapply', '1/revert'].map(
        (path) => [viewer, path] as const,
      ),
      [operator, '1/revert'] as const,
    ]) {
      expect((await somebody.get(`/runs/${path}`)).status, path).to.equal(403);
      expect((await somebody.post(`/runs/${path}`, { reason: 'x' })).status, path).to.equal(403);
    }
    expect((await operator.postAs('/runs/2/cancel', {})).status).to.equal(403);
    expect((await http.site.runs()).map(({ status }) => status)).to.deep.equal(['complete', 'held']);
    expect((await find(http, 2)).approvedAt).to.equal(null);
    for (const path of ['approve', 'cancel', 'reapply'])
      expect((await operator.get(`/runs/77/${path}`)).status).to.equal(404);
  });
});

/** Ten users, approved by whoever is returned. */
async function firstRun(http: HttpSite, role: 'operator' | 'admin' = 'operator'): Promise<SignedIn> {
  await http.site.drop('users.json', TEN);
  await http.site.atRest(1, 'held');
  const somebody = await http.signIn(role);
  await somebody.post('/runs/1/approve', { reason: 'the first' });
  await http.site.atRest(1, 'complete');
  return somebody;
}

async function find(http: HttpSite, id: number): Promise<RunRow> {
  return (await findRun(http.app.database, id))!;
}
