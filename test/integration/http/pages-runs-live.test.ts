import { expect } from 'chai';
import { ensureFeed } from '../../../src/db/feeds.js';
import { moveRun, noteProgress } from '../../../src/db/runs.js';
import type { RunProgress } from '../../../src/domain/run.js';
import { record } from '../../support/daemon-site.js';
import { eventually } from '../../support/eventually.js';
import { HttpSite, type SignedIn } from '../../support/http-site.js';

describe('The live part of a run', () => {
  it('shows how far it is to all who watch, then has them load the page again', async () => {
    await using http = await HttpSite.open();
    const run = await runningRun(http);
    const ada = await http.signIn('viewer', 'Ada');
    const bob = await http.signIn('admin', 'Bob');
    const path = /data-live="([^"]+)"/.exec(await ada.page(`/runs/${run}`))?.[1] ?? '';
    expect(path).to.equal(`/runs/${run}/live?state=planning`);
    const streams = [await Events.open(ada, path), await Events.open(bob, path)];
    for (const stream of streams) {
      expect(stream.headers.get('content-type')).to.equal('text/event-stream; charset=utf-8');
      expect(stream.headers.get('cache-control')).to.equal('no-store');
      await stream.until(/event: part\n(data: .*\n)*data: .*Begins to plan/);
    }
    const progress: RunProgress = { phase: 'stage', done: 1024, total: 4096, unit: 'bytes', records: 1234 };
    await noteProgress(http.app.database, run, progress);
    for (const stream of streams) {
      await stream.until(/Reading the files/);
      expect(stream.text)
        .to.match(/1\.0 KiB of 4\.0 KiB, 1,234 records/)
        .and.match(/<progress value="1024" max="4096">/);
      expect(stream.text).to.match(/^(?:(?:retry|event|data|): ?.*\n|\n)*$/);
    }
    await moveRun(http.app.database, run, 'applying', 'test');
    for (const stream of streams) {
      await stream.ended;
      expect(stream.text).to.match(/event: reload\ndata: now\n\n$/);
    }
    // The page was made before: there is no moment in which a change is missed.
    const late = await Events.open(ada, path);
    await late.ended;
    expect(late.text).to.include('event: reload');
  });

  it('says what a batch waits for', async () => {
    const files = { users: { read: 'json' }, more: { read: 'json' } };
    await using http = await HttpSite.open();
    await http.site.drop('_control.json', { ...CONTROL, files });
    await eventually('control file', async () => {
      const [row] = await http.app.database.query<{ count: number }>('select count(*) as count from sync.control_file');
      return row?.count === 2 || undefined;
    });
    await http.site.drop('users.json', [record('ada')]);
    const ada = await http.signIn('viewer');
    const page = await eventually('run', async () => {
      const found = await ada.get('/runs/1');
      return found.status === 200 ? found.text() : undefined;
    });
    expect(page).to.match(/Waits for\s+<code>more<\/code>/);
    expect(await ada.page('/')).to.match(/Waits for\s+<code>more<\/code>/);
    const stream = await Events.open(ada, '/runs/1/live?state=uploading');
    await stream.until(/<code>more<\/code>/);
    await http.site.drop('more.json', [record('bob')]);
    await stream.ended;
    expect(stream.text).to.include('event: reload');
  });

  it('ends when the program is told to end, and is for those only who are signed in', async () => {
    await using http = await HttpSite.open();
    const run = await runningRun(http);
    const ada = await http.signIn('viewer');
    const stream = await Events.open(ada, `/runs/${run}/live?state=planning`);
    await stream.until(/event: part/);
    expect((await http.fetch(`/runs/${run}/live`)).headers.get('location')).to.equal('/sign-in');
    expect((await ada.get('/runs/99/live')).status).to.equal(404);
    http.server.drain();
    await stream.ended;
    expect(stream.text).not.to.include('reload');
  });

  it('is not asked for again once the run has ended', async () => {
    await using http = await HttpSite.open();
    await http.site.drop('users.json', [record('ada')]);
    await http.site.atRest(1, 'complete');
    const ada = await http.signIn('viewer');
    expect(await ada.page('/runs/1')).not.to.include('data-live');
    expect((await ada.get('/runs/1/live?state=complete')).status).to.equal(204);
  });
});

const CONTROL = {
  dataImportControlFileVersion: 0,
  model: 'haplo:user-sync',
  instructions: [
    { source: 'USERNAME', destination: 'user', name: 'username' },
    { source: 'FIRST_NAME', destination: 'user', name: 'nameFirst' },
    { source: 'LAST_NAME', destination: 'user', name: 'nameLast' },
    { source: 'EMAIL', destination: 'user', name: 'email' },
  ],
};

/** A run that is being planned and stays so: no daemon looks after its feed. */
async function runningRun(http: HttpSite): Promise<number> {
  const { id } = await ensureFeed(http.app.database, 'elsewhere');
  const [run] = await http.app.database.query<{ id: number }>(
    `insert into sync.run (feed_id, source, status) values ($1, 'test', 'planning') returning id`,
    [id],
  );
  return run!.id;
}

/** What a browser's EventSource is sent. */
class Events {
  text = '';
  readonly ended: Promise<void>;

  private constructor(
    readonly headers: Headers,
    body: AsyncIterable<Uint8Array>,
  ) {
    this.ended = this.read(body);
    this.ended.catch(() => undefined);
  }

  static async open(somebody: SignedIn, path: string): Promise<Events> {
    const response = await somebody.get(path);
    expect(response.status).to.equal(200);
    return new Events(response.headers, response.body as unknown as AsyncIterable<Uint8Array>);
  }

  async until(pattern: RegExp): Promise<void> {
    await eventually(String(pattern), async () => pattern.test(this.text) || undefined);
  }

  private async read(body: AsyncIterable<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const piece of body) this.text += decoder.decode(piece, { stream: true });
  }
}
