import { expect } from 'chai';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { InputRecord } from '../../../src/domain/record.js';
import { packageRoot } from '../../../src/lib/package-root.js';
import { batchRecords, type BatchInput } from '../../../src/plugins/batch-records.js';
import { loadPlugins, type Contribution } from '../../../src/plugins/load-plugins.js';
import type { RecordProcessor } from '../../../src/plugins/plugin.js';
import { resolvePlugins } from '../../../src/plugins/resolve-plugins.js';
import { DEFAULT_LIMITS, type ReadItem } from '../../../src/readers/reader.js';
import { rejection } from '../../../src/readers/rejection.js';
import { caught } from './plugin-modules.js';

const PATH = join(packageRoot(), 'config', 'examples', 'plugins', 'roles-join.js');

async function joinRoles(): Promise<Contribution<RecordProcessor>> {
  const { recordProcessors } = await loadPlugins(resolvePlugins([PATH], packageRoot()));
  const processor = recordProcessors.get('example:join-roles');
  if (processor === undefined) throw new Error('the example has no record processor');
  return processor;
}

function file(name: string, values: Iterable<InputRecord | ReadItem>, batchSize = 2): BatchInput {
  return {
    name,
    async *open() {
      let record = 0;
      let batch: ReadItem[] = [];
      for (const value of values) {
        record += 1;
        const position = { record, line: record + 1, byte: 0 };
        batch.push('kind' in value ? (value as ReadItem) : { kind: 'record', position, value: value });
        if (batch.length < batchSize) continue;
        yield batch;
        batch = [];
      }
      yield batch;
    },
  };
}

const surroundings = (warnings: string[]) => ({
  limits: DEFAULT_LIMITS,
  signal: new AbortController().signal,
  temporaryDirectory: () => Promise.reject(new Error('nothing is put aside')),
  warn: (message: string) => void warnings.push(message),
});

async function joined(users: BatchInput, roles: BatchInput): Promise<{ items: string[]; warnings: string[] }> {
  const items: string[] = [];
  const warnings: string[] = [];
  for await (const { file: from, items: batch } of batchRecords(
    [users, roles],
    await joinRoles(),
    surroundings(warnings),
  )) {
    for (const { kind, value } of batch) {
      const name = from === 0 ? (value?.['id'] as string) : 'roles';
      items.push(kind === 'rejected' ? `${name} rejected` : `${name}: ${(value?.['roles'] as string[]).join('+')}`);
    }
  }
  return { items, warnings };
}

const user = (id: string): InputRecord => ({ id });
const role = (id: string, name: string): InputRecord => ({ id, role: name });

describe('the example of a record processor, which joins roles to users', () => {
  it('gives each user its roles, also none, in batches that end anywhere', async () => {
    const users = file('users', [user('a'), user('b'), user('b'), user('c'), user('d')]);
    const roles = file('roles', [role('a', 'x'), role('a', 'y'), role('a', 'z'), role('b', 'x'), role('d', 'y')], 1);
    const { items, warnings } = await joined(users, roles);
    expect(items).to.deep.equal(['a: x+y+z', 'b: x', 'b: x', 'c: ', 'd: y']);
    expect(warnings).to.deep.equal([]);
  });

  it('counts roles that belong to nobody, before, between and after the users', async () => {
    const users = file('users', [user('b'), user('d')]);
    const roles = file(
      'roles',
      ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => role(id, 'x')),
    );
    const { items, warnings } = await joined(users, roles);
    expect(items).to.deep.equal(['b: x', 'd: x']);
    expect(warnings).to.deep.equal(['Records of roles that belong to no user of the batch: 4, the first on line 2.']);
  });

  it('reads all roles when there are no users', async () => {
    const { items, warnings } = await joined(file('users', []), file('roles', [role('a', 'x')]));
    expect(items).to.deep.equal([]);
    expect(warnings).to.have.length(1);
  });

  it('rejects a user one of whose roles cannot be read, and passes on what nobody can be told the owner of', async () => {
    const at = { record: 9, line: 10, byte: 0 };
    const bad = rejection(at, 'invalid-json', 'bad', { record: { id: 'a' } });
    const nobody = rejection(at, 'invalid-json', 'bad');
    const { items } = await joined(file('users', [user('a'), user('b')]), file('roles', [bad, nobody, role('b', 'x')]));
    expect(items).to.deep.equal(['a rejected', 'b: x', 'roles rejected']);
  });

  it('says which file is not sorted, where, and how to sort it', async () => {
    const unsorted = file('roles', [role('b', 'x'), role('a', 'x')]);
    const error = await caught(joined(file('users', [user('a'), user('b')]), unsorted));
    expect(error).to.include({ code: 'record-processor-failed' });
    expect(error.message)
      .to.include('example:join-roles of plugin roles-join says: the file roles is not sorted by id: line 3 ')
      .and.include('ORDER BY id COLLATE "C"');
    const users = await caught(joined(file('users', [user('b'), user('a')]), file('roles', [])));
    expect(users.message).to.include('the file users is not sorted');
  });

  it('compares as the bytes of UTF-8 do', async () => {
    const ids = ['Z', 'a', 'é', '\uff21', '\u{1f600}'];
    const { items } = await joined(
      file('users', ids.map(user)),
      file(
        'roles',
        ids.map((id) => role(id, id)),
      ),
    );
    expect(items).to.deep.equal(ids.map((id) => `${id}: ${id}`));
  });

  it('asks for the files that it needs', async () => {
    const error = await caught(joined(file('users', []), file('others', [])));
    expect(error.message).to.include('must list a file named roles');
  });

  it('holds neither file in memory', async function () {
    this.timeout(120_000);
    const users = 200_000;
    const id = (number: number): string => String(number).padStart(8, '0');
    function* people(): Generator<InputRecord> {
      for (let number = 0; number < users; number += 1) yield { id: id(number), mail: `${number}@example.org` };
    }
    function* roles(): Generator<InputRecord> {
      for (let number = 0; number < users * 3; number += 1) {
        yield role(id(Math.floor(number / 3)), `role ${number % 3} of somebody`);
      }
    }
    const before = liveHeapMib();
    let peak = before;
    let count = 0;
    let found = 0;
    let measured = 0;
    const inputs = [file('users', people(), 500), file('roles', roles(), 500)];
    for await (const { items } of batchRecords(inputs, await joinRoles(), surroundings([]))) {
      count += items.length;
      for (const item of items) found += (item.value?.['roles'] as string[]).length;
      if (count < measured + 20_000) continue;
      measured = count;
      peak = Math.max(peak, liveHeapMib());
    }
    expect([count, found]).to.deep.equal([users, users * 3]);
    // The records of roles alone, held, would be more than 60.
    expect(peak - before).to.be.lessThan(20);
  });
});

/** What is still in use, without what only waits to be collected. */
function liveHeapMib(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed / 1024 ** 2;
}
