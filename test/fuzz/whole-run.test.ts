import { expect } from 'chai';
import fc from 'fast-check';
import { findRun, type RunRow } from '../../src/db/runs.js';
import { resolveGuards } from '../../src/domain/guard.js';
import { UserSyncError } from '../../src/lib/errors.js';
import { ReadError } from '../../src/readers/reader.js';
import type { FileFormat } from '../../src/readers/registry.js';
import { addsUp } from '../support/campaign.js';
import { APPROVAL, SyncHarness, type BatchOptions } from '../support/sync.js';
import { read } from '../unit/readers/reading.js';
import { SAMPLE_FORMATS, type Fields } from '../unit/readers/sample-formats.js';
import { fuzz, FUZZ_TIMEOUT_MS } from './fuzzing.js';
import { asItIs, compressed, mutations, shown } from './mutations.js';
import {
  BY_HAND,
  everything,
  INSTRUCTIONS,
  makeByHand,
  NaiveDirectory,
  untouched,
  usersOf,
} from './naive-directory.js';

const USERNAMES = ['ann', 'Bob', 'cem', 'dia', 'eva', 'İlhan', 'o’neil', 'a b', '漢'];

const people: fc.Arbitrary<Fields[]> = fc
  .uniqueArray(
    fc.record({
      user: fc.constantFrom(...USERNAMES),
      first: fc.constantFrom('A', 'Bé', 'C "C" <&> \\'),
      last: fc.constantFrom('X', "O'Y", 'Z;|'),
      mail: fc.oneof(
        { weight: 9, arbitrary: fc.constant('own') },
        { weight: 1, arbitrary: fc.constantFrom(BY_HAND, '') },
      ),
      role: fc.constantFrom('staff', 'student', ''),
      job: fc.constantFrom('', 'Dean', '=cmd|\\.', '😀'),
      card: fc.constantFrom('', '1', '2'),
    }),
    { minLength: 3, maxLength: 9, selector: ({ user }) => user },
  )
  .map((records) =>
    records.map((one) => ({ ...one, mail: one.mail === 'own' ? `${one.user}@Example.org` : one.mail })),
  );

const format: fc.Arbitrary<FileFormat> = fc.oneof(
  fc.constantFrom(...SAMPLE_FORMATS.map((sample) => sample.format)),
  fc.constantFrom({ read: 'csv', charset: 'windows-1252' }, { read: 'tsv-with-name-row', charset: 'shift_jis' }),
);

function written({ read: name }: FileFormat, records: readonly Fields[]): Buffer {
  return Buffer.from(SAMPLE_FORMATS.find((sample) => sample.format.read === name)!.write(records).text);
}

interface Batch {
  readonly format: FileFormat;
  readonly bytes: Buffer;
  readonly guards: 'on' | 'off';
  readonly approves: boolean;
  readonly force: boolean;
}

const anyFile = fc.tuple(format, people).map(([one, records]) => written(one, records));

const batches = fc.array(
  fc
    .record({
      format,
      people,
      mutate: fc.option(mutations({ others: anyFile }), { nil: asItIs, freq: 8 }),
      pack: fc.oneof({ weight: 5, arbitrary: fc.constant(asItIs) }, { weight: 1, arbitrary: compressed }),
      guards: fc.constantFrom('off' as const, 'off' as const, 'on' as const),
      approves: fc.boolean(),
      force: fc.boolean(),
    })
    .map(({ people, mutate, pack, ...batch }): Batch => {
      const bytes = pack(mutate(written(batch.format, people)));
      const { guards, approves, force } = batch;
      const told = `${JSON.stringify({ ...batch.format, guards, approves, force })}: ${shown(bytes)}`;
      return Object.assign({ ...batch, bytes }, { [fc.toStringMethod]: () => told });
    }),
  { minLength: 1, maxLength: 4 },
);

function controlFor(format: FileFormat): string {
  const files = { users: format };
  return JSON.stringify({
    dataImportControlFileVersion: 0,
    model: 'haplo:user-sync',
    files,
    instructions: INSTRUCTIONS,
  });
}

async function runOf(harness: SyncHarness, runId: number, options: BatchOptions): Promise<RunRow | UserSyncError> {
  try {
    return await harness.execute(runId, options);
  } catch (error) {
    if (error instanceof UserSyncError) return error;
    throw error;
  }
}

describe('A whole run, whatever came to harm in its file', function () {
  this.timeout(FUZZ_TIMEOUT_MS);

  it('fails and changes nothing, or leaves what a naive directory has, and nobody else is touched', async () => {
    await using own = await SyncHarness.open();
    const seen = { complete: 0, failed: 0, held: 0 };
    await fuzz('whole runs', { share: 1.5, atLeast: 3 }, fc.tuple(people, batches), async ([first, batches]) => {
      await own.empty();
      await makeByHand(own);
      const naive = new NaiveDirectory();
      const start: Batch = {
        format: { read: 'json' },
        bytes: written({ read: 'json' }, first),
        guards: 'off',
        approves: true,
        force: false,
      };
      let alone: unknown[] | undefined;
      for (const { format, bytes, guards, approves, force } of [start, ...batches]) {
        const harness = own.withControl(() => controlFor(format));
        const settings = { guards: resolveGuards(guards) };
        const before = await everything(harness);
        const { items, error } = await read(format, bytes);
        const runId = await harness.submit(bytes, { force });
        let run = await runOf(harness, runId, { settings });
        if (run instanceof UserSyncError) {
          expect(error, run.message).to.be.instanceOf(ReadError);
          expect((error as ReadError).code).to.equal(run.code);
          const row = await findRun(harness.database, runId);
          expect(row).to.include({ status: 'failed', failureCode: run.code, failureMessage: run.message });
          expect(await everything(harness)).to.deep.equal(before);
          seen.failed += 1;
          continue;
        }
        expect(error).to.equal(undefined);
        if (run.status === 'held') {
          expect(await everything(harness)).to.deep.equal(before);
          seen.held += 1;
          if (!approves) continue;
          run = await harness.execute(runId, { settings, approval: APPROVAL });
        }
        expect(run.status).to.equal('complete');
        const counts = naive.apply(items);
        if (run.outcome === 'nothing-new') expect(await everything(harness)).to.deep.equal(before);
        else expect(run.counts).to.deep.equal(counts);
        expect(addsUp(run.counts)).to.equal(true);
        expect(await usersOf(harness)).to.deep.equal(naive.expected());
        alone ??= await untouched(harness);
        expect(await untouched(harness)).to.deep.equal(alone);
        seen.complete += 1;
      }
    });
    expect(seen.complete).to.be.greaterThan(2);
  });
});
