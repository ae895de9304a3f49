import { expect } from 'chai';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunRow } from '../../src/db/runs.js';
import { submitBatch } from '../../src/sync/submit.js';
import { SyncHarness } from '../support/sync.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { controlText, model } from '../unit/mapping/mapping-case.js';
import type { EngineCase, Step } from '../unit/mapping/rules/rule.js';

const USER = [
  { source: 'u', destination: 'user', name: 'username' },
  { source: 'first', destination: 'user', name: 'nameFirst' },
  { source: 'last', destination: 'user', name: 'nameLast' },
  { source: 'mail', destination: 'user', name: 'email' },
];

/** What a record has unless it says otherwise. */
function person(record: object): object {
  const { u } = record as { u: string };
  return { first: 'First', last: 'Last', mail: `${u === '' ? 'nobody' : u}@example.org`, ...record };
}

/** Runs the batches of a case, one after the other, and looks at the directory after each. */
export async function runEngineCase({ instructions, more, steps }: EngineCase): Promise<void> {
  const control = JSON.parse(controlText([...USER, ...instructions], more)) as object;
  await using shipped = await SyncHarness.open({ control });
  const harness = shipped.withModel(model.source);
  for (const step of steps) {
    if (step.sql !== undefined) await harness.administer(await withRefs(step.sql, harness));
    await check(step, await sync(step, harness), harness);
  }
}

async function sync({ batch, force: isForced }: Step, harness: SyncHarness): Promise<RunRow> {
  const force = isForced === true;
  if (Array.isArray(batch)) return harness.sync(batch.map(person), { force });
  await using folder = await temporaryFolder();
  const files: { name: string; path: string }[] = [];
  for (const [name, records] of Object.entries(batch as Readonly<Record<string, readonly object[]>>)) {
    const path = join(folder.path, `${name}.json`);
    await writeFile(path, JSON.stringify(records.map(person)));
    files.push({ name, path });
  }
  const id = await submitBatch(harness.context, {
    feed: 'default',
    files,
    control: { text: harness.control, what: 'The control file' },
    dryRun: false,
    force,
    by: 'test',
    signal: new AbortController().signal,
  });
  return harness.execute(id);
}

/** `:ada` is the ref of that user's profile. */
async function withRefs(sql: string, harness: SyncHarness): Promise<string> {
  const refs = await refsOf(harness);
  return sql.replace(/":(\w+)"/g, (_all, username: string) => `"${refs.get(username) ?? 'nobody'}"`);
}

async function refsOf(harness: SyncHarness): Promise<Map<string, string>> {
  const rows = await harness.rows<{ username: string; ref: string }>(
    'select username, profile_ref::text as ref from directory.users',
  );
  return new Map(rows.map(({ username, ref }) => [username, ref]));
}

async function check(step: Step, { id, counts }: RunRow, harness: SyncHarness): Promise<void> {
  if (step.counts !== undefined) expect(counts).to.deep.include(step.counts);
  const errors = await harness.rows<{ code: string; username: string | null; message: string }>(
    `select code, username, message from sync.run_log where level = 'error' and run_id = $1 order by id`,
    [id],
  );
  if (step.errors !== undefined) {
    expect(errors.map(({ code, username }) => `${code} ${username ?? ''}`)).to.deep.equal(step.errors);
  }
  for (const message of step.messages ?? []) {
    expect(
      errors.some((error) => message.test(error.message)),
      `${message.source} in ${JSON.stringify(errors)}`,
    ).to.be.true;
  }
  if (step.users !== undefined) await checkUsers(step.users, harness);
  if (step.objects !== undefined) expect((await objectsOf(harness)).sort()).to.deep.equal([...step.objects].sort());
}

async function checkUsers(expected: NonNullable<Step['users']>, harness: SyncHarness): Promise<void> {
  const users = await harness.rows<{ username: string; profile: Record<string, unknown>; [column: string]: unknown }>(
    'select * from directory.users',
  );
  const refs = await refsOf(harness);
  for (const [username, columns] of Object.entries(expected)) {
    const user = users.find((one) => one.username === username);
    if (user === undefined) throw new Error(`there is no user ${username}`);
    for (const [name, value] of Object.entries(columns)) {
      const isAttribute = name.includes(':');
      const held = isAttribute ? (user.profile[name] ?? []) : user[name];
      const wanted = isAttribute ? (value as readonly unknown[]).map((one) => entry(one, refs)) : value;
      expect(held, `${username} ${name}`).to.deep.equal(wanted);
    }
  }
}

/** `x` stands for a value without qualifier, `@ada` for a reference to her profile. */
function entry(value: unknown, refs: ReadonlyMap<string, string>): unknown {
  const whole = typeof value === 'object' && value !== null && 'value' in value ? { ...value } : { value };
  if (typeof whole.value === 'string' && whole.value.startsWith('@')) {
    whole.value = { ref: refs.get(whole.value.slice(1)) };
  }
  return whole;
}

async function objectsOf(harness: SyncHarness): Promise<string[]> {
  const rows = await harness.rows<{ object: string }>(
    `select coalesce(feed_user.username::text, owner.attributes #>> '{test:attribute:book-title,0,value}', '-')
              || ': ' || coalesce(object.attributes #>> '{test:attribute:book-title,0,value}', '-') as object
     from directory.object
     left join directory.object as owner on owner.ref = object.owner
     left join directory.account on account.profile_ref = object.owner
     left join sync.feed_user on feed_user.account_id = account.id
     where object.types && '{std:type:book,test:type:page}'`,
  );
  return rows.map(({ object }) => object);
}
