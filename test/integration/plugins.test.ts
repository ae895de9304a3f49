import { expect } from 'chai';
import { once } from 'node:events';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GuardChoices } from '../../src/domain/guard.js';
import { memoryLogger } from '../../src/lib/logger.js';
import type { RunRow } from '../../src/db/runs.js';
import { APPROVAL, SyncHarness } from '../support/sync.js';
import { temporaryFolder } from '../support/temporary-folder.js';

interface Entry extends Record<string, unknown> {
  readonly level: string;
  readonly code: string | null;
  readonly message: string;
}

/** An engine with one plugin of this code, which may call `tell` to leave lines for the test. */
class PluginSite implements AsyncDisposable {
  private constructor(
    readonly harness: SyncHarness,
    private readonly folder: Awaited<ReturnType<typeof temporaryFolder>>,
  ) {}

  static async open(
    code: string,
    options: { control?: object; guards?: GuardChoices; logger?: ReturnType<typeof memoryLogger> } = {},
  ): Promise<PluginSite> {
    const folder = await temporaryFolder();
    const text = `
      import { appendFileSync } from 'node:fs';
      import { isMainThread } from 'node:worker_threads';
      const tell = (...words) => appendFileSync(${JSON.stringify(join(folder.path, 'told'))}, words.join(' ') + '\\n');
      ${code}`;
    const path = join(folder.path, 'testing.mjs');
    await writeFile(path, text);
    return new PluginSite(await SyncHarness.open({ ...options, plugins: [path] }), folder);
  }

  /** The same database, and a process that was started with another version of the plugin. */
  async restarted(code: string): Promise<SyncHarness> {
    // Another name, since a process imports a module once.
    const path = join(this.folder.path, 'changed.mjs');
    await writeFile(path, code);
    return this.harness.withPlugins([path]);
  }

  /** What the plugin told since this was last asked. */
  async told(): Promise<string[]> {
    const path = join(this.folder.path, 'told');
    const text = await readFile(path, 'utf8').catch(() => '');
    await rm(path, { force: true });
    return text.split('\n').filter((line) => line !== '');
  }

  log(run: RunRow): Promise<Entry[]> {
    return this.harness.rows<Entry>('select level, code, message from sync.run_log where run_id = $1 order by id', [
      run.id,
    ]);
  }

  async warnings(run: RunRow): Promise<string[]> {
    const entries = await this.log(run);
    return entries.filter(({ level }) => level === 'warn').map(({ code, message }) => `${code ?? ''} ${message}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.harness[Symbol.asyncDispose]();
    await this.folder[Symbol.asyncDispose]();
  }
}

const person = (number: number, changes: object = {}): object => ({
  u: `user${number}`,
  first: 'First',
  last: `Last${number}`,
  mail: `user${number}@example.org`,
  ...changes,
});

const people = (count: number): object[] => Array.from({ length: count }, (_, index) => person(index + 1));

function control(more: object = {}, instructions: readonly object[] = [], read = 'json'): object {
  return {
    dataImportControlFileVersion: 0,
    model: 'haplo:user-sync',
    files: { users: { read } },
    instructions: [
      { source: 'u', destination: 'user', name: 'username' },
      { source: 'first', destination: 'user', name: 'nameFirst' },
      { source: 'last', destination: 'user', name: 'nameLast' },
      { source: 'mail', destination: 'user', name: 'email' },
      ...instructions,
    ],
    ...more,
  };
}

const HOOKS_CONTROL = control();

/** Tells of every hook: its counts, and whose change it was shown. */
const TELLING_HOOKS = `
  const names = async (pages) => { const all = []; for await (const page of pages) all.push(...page.map((c) => c.kind + ':' + c.username)); return all.join(','); };
  export default { hooks: {
    async afterPlan(context) { tell('plan', context.run, context.feed, context.dryRun, context.counts.added, await names(context.changes())); },
    async afterApply(context) { tell('apply', context.counts.added, await names(context.changes())); },
    async onBlock(context) { tell('block', context.counts.blocked, await names(context.blocked())); },
  } };`;

describe('plugins in a run', () => {
  it('filter and read in the thread that stages, and are told of their mistakes in the run log', async () => {
    const code = `
      export default {
        filters: {
          'x:shout': () => { let calls = 0; return (value) => { if (value === 'bad') throw new Error('secret'); return value.toUpperCase() + (++calls) + (isMainThread ? ' main' : ' worker'); }; },
        },
        readers: { 'x-words': { description: 'Words.', options: [], read: () => async function* (bytes) {
          let text = '';
          for await (const piece of bytes) text += Buffer.from(piece).toString();
          yield text.trim().split('\\n').map((line, index) => {
            const [u, first, last, mail, job] = line.split(' ');
            return { kind: 'record', position: { record: index + 1, line: index + 1, byte: 0 }, value: { u, first, last, mail, job } };
          });
        } } },
      };`;
    const job = { source: 'job', destination: 'profile', name: 'std:attribute:job-title', filters: ['x:shout'] };
    await using site = await PluginSite.open(code, { control: control({}, [job], 'x-words') });
    const run = await site.harness.sync(
      'joe Joe Bloggs joe@x.org dean\nann Ann Other ann@x.org bad\nbob Bob Last bob@x.org clerk\n',
    );
    expect(run).to.deep.include({ status: 'complete', errors: 1 });
    const rows = await site.harness.rows(
      `select username, profile #>> '{std:attribute:job-title,0,value}' as job from directory.users order by username`,
    );
    expect(rows).to.deep.equal([
      { username: 'ann', job: null },
      { username: 'bob', job: 'CLERK2 worker' },
      { username: 'joe', job: 'DEAN1 worker' },
    ]);
    const errors = await site.harness.rows(
      `select code, username, source, value, message from sync.run_log where level = 'error'`,
    );
    expect(errors).to.have.length(1);
    expect(errors[0]).to.include({ code: 'filter-failed', username: 'ann', source: 'job', value: 'bad' });
    expect(errors[0]?.['message']).to.not.include('secret');
  });

  it('keep values in a dictionary of their own, and refer to people and objects of the directory', async () => {
    const control = {
      dataImportControlFileVersion: 0,
      model: 'haplo:user-sync',
      files: { users: { read: 'json' } },
      instructions: [
        { source: 'u', destination: 'user', name: 'username' },
        ...['nameFirst', 'nameLast'].map((name) => ({ source: 'u', destination: 'user', name })),
        { source: 'mail', destination: 'user', name: 'email' },
        { source: 'permit', destination: 'test:parking', name: 'permit' },
        {
          source: 'boss',
          destination: 'profile',
          name: 'std:attribute:relationship-manager',
          filters: ['test:boss'],
        },
        { source: 'org', destination: 'profile', name: 'std:attribute:works-for', filters: ['test:org'] },
      ],
    };
    await using site = await PluginSite.open(
      `export default {
        filters: {
          'test:boss': ({ personReference }) => (name) => personReference(name),
          'test:org': ({ lookup, objectReference }) => (ref) =>
            lookup.byRef(ref) === undefined ? undefined : objectReference(ref),
        },
        destinations: [{
          kind: 'dictionary', name: 'test:parking', title: 'Parking', depends: 'user',
          names: [{ name: 'permit', title: 'Permit', dataType: 'integer', required: true }],
        }],
      };`,
      { control },
    );
    const [org] = await site.harness.rows<{ ref: string }>(
      `insert into directory.object (types) values ('{std:type:organisation}') returning ref::text`,
    );
    const mail = 'x@example.org';
    const run = await site.harness.sync([
      { u: 'ada', mail, permit: '12', boss: 'Zoe', org: org?.ref },
      { u: 'zoe', mail, permit: 'none', org: '999999' },
    ]);
    expect(run.counts).to.include({ added: 2, rejected: 0 });
    const rows = await site.harness.rows<{
      username: string;
      profile_ref: number;
      profile: object;
      dictionaries: object;
    }>('select username, profile_ref, profile, dictionaries from directory.users order by username');
    expect(rows.map(({ dictionaries }) => dictionaries)).to.deep.equal([{ 'test:parking': { permit: 12 } }, {}]);
    expect(rows[0]?.profile).to.deep.include({
      'std:attribute:relationship-manager': [{ value: { ref: String(rows[1]?.profile_ref) } }],
      'std:attribute:works-for': [{ value: { ref: org?.ref } }],
    });
    expect(rows[1]?.profile).not.to.have.property('std:attribute:works-for');
  });

  it('process records in that thread, warn, and leave no folder behind', async () => {
    const code = `
      import { writeFile } from 'node:fs/promises';
      export default { recordProcessors: { 'x:double': async function* (files, context) {
        const folder = await context.temporaryDirectory();
        tell(folder);
        await writeFile(folder + '/aside', 'x');
        for await (const items of files[0].records()) {
          yield { file: 'users', items: items.map((item) => ({ ...item, value: { ...item.value, last: 'Changed' } })) };
        }
        context.warn('two things were odd');
      } } };`;
    await using site = await PluginSite.open(code, { control: control({ recordProcessor: 'x:double' }) });
    const run = await site.harness.sync(people(2));
    expect(run.counts).to.include({ records: 2, added: 2 });
    const names = await site.harness.rows('select distinct name_last from directory.users');
    expect(names).to.deep.equal([{ name_last: 'Changed' }]);
    expect(await site.warnings(run)).to.deep.equal(['record-processor two things were odd']);
    const [folder = ''] = await site.told();
    expect(await readdir(join(folder, '..'))).to.deep.equal([]);
  });

  it('fail the run and change nothing when a reader or record processor fails', async () => {
    const code = `
      export default {
        recordProcessors: { 'x:broken': async function* (files) { for await (const items of files[0].records()) yield { file: 'users', items }; null.x; } },
        readers: { 'x-broken': { description: 'x', options: [], read: () => { throw new Error('secret'); } } },
      };`;
    for (const [given, failureCode] of [
      [control({ recordProcessor: 'x:broken' }), 'record-processor-failed'],
      [control({}, [], 'x-broken'), 'reader-failed'],
    ] as const) {
      await using site = await PluginSite.open(code, { control: given });
      const id = await site.harness.submit(people(3));
      await site.harness.execute(id).catch(() => undefined);
      const [run] = await site.harness.rows('select status, failure_code, failure_message from sync.run');
      expect(run).to.include({ status: 'failed', failure_code: failureCode });
      expect(run?.['failure_message'])
        .to.match(/testing failed: \w+Error|testing failed: Error/)
        .and.not.include('secret');
      expect(await site.harness.rows('select from directory.users')).to.have.length(0);
    }
  });
});

describe('a plugin that has changed', () => {
  const TITLE = { source: 'first', destination: 'profile', name: 'std:attribute:job-title', filters: ['x:title'] };
  const code = (title: string): string => `export default { filters: { 'x:title': () => () => '${title}' } };`;

  it('makes the same files news', async () => {
    await using site = await PluginSite.open(code('Dean'), { control: control({}, [TITLE]) });
    await site.harness.sync(people(2));
    expect(await site.harness.sync(people(2))).to.include({ outcome: 'nothing-new' });
    const changed = await site.restarted(code('Provost'));
    const run = await changed.sync(people(2));
    expect(run).to.include({ outcome: 'applied' });
    expect(run.counts).to.include({ updated: 2 });
  });
});

describe('hooks of plugins', () => {
  it('are shown the plan, what was applied, and who was blocked, page by page', async () => {
    await using site = await PluginSite.open(TELLING_HOOKS, { control: HOOKS_CONTROL });
    const first = await site.harness.sync(people(3));
    expect(await site.told()).to.deep.equal([
      `plan ${first.id} default false 3 add:user1,add:user2,add:user3`,
      'apply 3 add:user1,add:user2,add:user3',
    ]);
    await site.harness.sync([person(1, { first: 'New' }), person(4)]);
    const [plan, block, apply] = await site.told();
    expect(plan?.split(' ').at(-1)?.split(',').sort()).to.deep.equal([
      'add:user4',
      'block:user2',
      'block:user3',
      'update:user1',
    ]);
    expect(block).to.equal('block 2 block:user2,block:user3');
    expect(apply)
      .to.match(/^apply 1 /)
      .and.include('block:user3')
      .and.include('update:user1');
  });

  it('get more changes than one page has, a thousand at a time', async () => {
    const code = `export default { hooks: { async afterPlan(context) {
      for await (const page of context.changes('add')) tell(page.length, page[0].after.user.email);
    } } };`;
    await using site = await PluginSite.open(code, { control: HOOKS_CONTROL });
    await site.harness.sync(people(2001), { settings: { chunkSize: 5000 } });
    expect(await site.told()).to.deep.equal([
      '1000 user1@example.org',
      '1000 user1001@example.org',
      '1 user2001@example.org',
    ]);
  });

  it('are told of a dry run only after its plan', async () => {
    await using site = await PluginSite.open(TELLING_HOOKS, { control: HOOKS_CONTROL });
    const run = await site.harness.sync(people(1), { dryRun: true });
    expect(await site.told()).to.deep.equal([`plan ${run.id} default true 1 add:user1`]);
  });

  it('are not told of blocks that were withheld', async () => {
    await using site = await PluginSite.open(TELLING_HOOKS, { control: HOOKS_CONTROL });
    await site.harness.sync(people(3));
    await site.told();
    const held = await site.harness.sync([person(1, { first: 'New' })], { settings: { autoApply: false } });
    expect(held.status).to.equal('held');
    await site.told();
    await site.harness.execute(held.id, { approval: { ...APPROVAL, withoutBlocks: true } });
    expect(await site.told()).to.deep.equal(['apply 0 update:user1']);
  });

  it('hold a run, which says why, until it is approved', async () => {
    const code = `export default { hooks: { afterPlan: (context) => context.counts.added > 1 ? { hold: 'too many at once' } : undefined } };`;
    await using site = await PluginSite.open(code, { control: HOOKS_CONTROL });
    expect(await site.harness.sync(people(1))).to.include({ status: 'complete' });
    const held = await site.harness.sync(people(3));
    expect(held.status).to.equal('held');
    expect(held.guards.filter(({ breached }) => breached)).to.deep.equal([
      { guard: 'plugin', value: 1, limit: 0, breached: true, count: 0, subject: 'testing', reason: 'too many at once' },
    ]);
    expect(await site.warnings(held)).to.deep.equal(['plugin Plugin testing holds the run: too many at once']);
    const [move] = await site.harness.rows(`select note from sync.run_transition where to_status = 'held'`);
    expect(move).to.deep.equal({ note: 'plugin testing: too many at once' });
    expect(await site.harness.execute(held.id, { approval: APPROVAL })).to.include({
      status: 'complete',
      applied: true,
    });
  });

  it('do not hold what was approved in advance, or again what was approved and is planned again', async () => {
    const code = `export default { hooks: { afterPlan: () => ({ hold: 'always' }) } };`;
    await using site = await PluginSite.open(code, { control: HOOKS_CONTROL });
    expect(await site.harness.sync(people(1), { approval: APPROVAL })).to.include({ status: 'complete' });
    const held = await site.harness.sync(people(2));
    await site.harness.rows(
      `insert into directory.account (email, name_first, name_last) values ('x@example.org', 'X', 'Y')`,
    );
    expect(await site.harness.execute(held.id, { approval: APPROVAL })).to.include({ status: 'complete' });
  });

  it('hold a run that would change nothing, too', async () => {
    const code = `let calls = 0; export default { hooks: { afterPlan: () => (++calls > 1 ? { hold: '' } : null) } };`;
    await using site = await PluginSite.open(code, { control: HOOKS_CONTROL });
    await site.harness.sync(people(1));
    const held = await site.harness.sync(people(1), { force: true });
    expect(held.status).to.equal('held');
    expect(held.guards.at(-1)?.reason).to.equal('it gave no reason');
  });

  for (const [what, body] of [
    ['throws', `() => { throw new RangeError('secret'); }`],
    ['rejects', `async () => { throw new RangeError('secret'); }`],
    ['gives something else than it may', `() => true`],
  ] as const) {
    it(`hold a run when one of them ${what} after the plan, for nobody knows what it would have said`, async () => {
      const logger = memoryLogger();
      await using site = await PluginSite.open(`export default { hooks: { afterPlan: ${body} } };`, {
        control: HOOKS_CONTROL,
        logger,
      });
      const held = await site.harness.sync(people(1));
      expect(held.status).to.equal('held');
      const [warning = ''] = await site.warnings(held);
      expect(warning).to.match(/^hook-failed Plugin testing holds the run: its hook afterPlan failed \(\w+Error at /);
      expect(JSON.stringify(await site.log(held))).to.not.include('secret');
      expect(logger.entries.some(({ fields }) => fields['error'] !== undefined)).to.equal(true);
    });
  }

  it('do not fail a run that was applied, which keeps a warning', async () => {
    const code = `export default { hooks: { onBlock() { throw new RangeError('secret'); }, async afterApply() { throw new RangeError('secret'); } } };`;
    await using site = await PluginSite.open(code, { control: HOOKS_CONTROL });
    await site.harness.sync(people(2));
    const run = await site.harness.sync(people(1));
    expect(run).to.include({ status: 'complete', outcome: 'applied' });
    const warnings = await site.warnings(run);
    expect(warnings).to.have.length(2);
    expect(warnings[0]).to.match(/^hook-failed The hook onBlock of plugin testing failed: RangeError at /);
    expect(warnings[1]).to.match(/^hook-failed The hook afterApply of plugin testing failed: RangeError at /);
    expect(warnings.join()).to.not.include('secret');
  });

  it('log for the process, with the run and the plugin', async () => {
    const logger = memoryLogger();
    const code = `export default { hooks: { afterApply({ logger }) { logger.info('called', { password: 'secret', left: 3 }); logger.warn('slow'); } } };`;
    await using site = await PluginSite.open(code, { control: HOOKS_CONTROL, logger });
    const run = await site.harness.sync(people(1));
    const called = logger.entries.find(({ message }) => message === 'called');
    expect(called).to.include({ level: 'info' });
    expect(called?.fields).to.deep.include({ run: run.id, feed: 'default', plugin: 'testing', left: 3 });
    expect(JSON.stringify(logger.entries)).to.not.include('secret');
    expect(logger.entries.find(({ message }) => message === 'slow')).to.include({ level: 'warn' });
  });

  it('do not keep a process from ending', async () => {
    const code = `export default { hooks: { afterPlan: () => new Promise(() => process.emit('test-hook-waits')) } };`;
    await using site = await PluginSite.open(code, { control: HOOKS_CONTROL });
    const stop = new AbortController();
    const id = await site.harness.submit(people(1));
    const waits = once(process, 'test-hook-waits');
    const ended = site.harness.execute(id, { signal: stop.signal }).catch((error: unknown) => error);
    await waits;
    stop.abort(new Error('the end'));
    expect(await ended).to.include({ message: 'the end' });
    expect(await site.harness.rows('select status from sync.run')).to.deep.equal([{ status: 'failed' }]);
  });

  it('are told of what a run did before it was cancelled', async () => {
    const code = TELLING_HOOKS;
    await using site = await PluginSite.open(code, { control: HOOKS_CONTROL });
    const id = await site.harness.submit(people(9));
    let applied = 0;
    const run = await site.harness.execute(id, {
      settings: { chunkSize: 1, concurrency: 1 },
      onProgress: ({ phase, done }) => {
        if (phase !== 'apply' || done < 2 || applied > 0) return;
        applied = done;
        void site.harness.rows('update sync.run set cancel_requested = true');
      },
    });
    const told = await site.told();
    const done = run.counts.added;
    // Where cancelling comes too late, everything was applied.
    expect(run.status).to.equal(done === 9 ? 'complete' : 'cancelled');
    expect(told.at(-1)).to.match(new RegExp(`^apply ${done} add:user1`));
    expect(told.at(-1)?.split(',')).to.have.length(done);
  });
});
