import { expect } from 'chai';
import fc from 'fast-check';
import { APPROVAL, SyncHarness } from '../support/sync.js';
import { DirectoryModel, type ManualEdit } from '../support/directory-model.js';
import { PROPERTY_CONTROL, type ModelRecord } from '../support/model-user.js';

/** Another seed, or more sequences, on demand. */
const SEED = Number(process.env['PROPERTY_SEED'] ?? 20261122);
const SEQUENCES = Number(process.env['PROPERTY_RUNS'] ?? 12);

const USERNAMES = ['ann', 'Bob', 'cem', 'dia', 'eva', 'fay', 'gus', 'hal'];

const record: fc.Arbitrary<ModelRecord> = fc.record(
  {
    USERNAME: fc.constantFrom(...USERNAMES),
    TITLE: fc.constantFrom('', 'Dr', 'Prof'),
    FIRST: fc.constantFrom('A', 'B'),
    LAST: fc.constantFrom('X', 'Y', 'Z\\t\n"'),
    // Mostly their own; `hand@example.org` may be an account made by hand; the last two reject the record.
    EMAIL: fc.oneof(
      { weight: 8, arbitrary: fc.constant('own') },
      { weight: 1, arbitrary: fc.constantFrom('hand@example.org', 'not an address', '') },
    ),
    GROUPS: fc.oneof(
      { weight: 8, arbitrary: fc.subarray(['example:group:staff', 'example:group:students']) },
      { weight: 1, arbitrary: fc.constant(['example:group:nobody']) },
      { weight: 1, arbitrary: fc.constant(['example:group:reviewers']) },
    ),
    JOB: fc.constantFrom('', 'Reader', 'Dean'),
    URL: fc.constantFrom('', 'https://a.example', 'no scheme'),
    NOTES: fc.subarray(['one', 'two', 'three']),
    ALSO: fc.constantFrom('', 'Nickname'),
    CARD: fc.constantFrom('', '1', '2'),
  },
  { noNullPrototype: true },
);

const manualEdit: fc.Arbitrary<ManualEdit> = fc.oneof(
  fc.record({ kind: fc.constant('join-unmanaged' as const), username: fc.constantFrom(...USERNAMES) }),
  fc.record({ kind: fc.constant('join-managed' as const), username: fc.constantFrom(...USERNAMES) }),
  fc.record({ kind: fc.constant('note' as const), username: fc.constantFrom(...USERNAMES) }),
  fc.record({ kind: fc.constant('deactivate' as const), username: fc.constantFrom(...USERNAMES) }),
  fc.record({ kind: fc.constant('make-by-hand' as const), username: fc.constant('') }),
);

const step = fc.record({
  // Duplicates of a username are part of it.
  batch: fc.array(record, { maxLength: 10 }),
  // The last batch once more, with only the first record of this one.
  repeats: fc.boolean(),
  edits: fc.array(manualEdit, { maxLength: 4 }),
  force: fc.integer({ min: 0, max: 4 }).map((number) => number === 0),
  chunkSize: fc.integer({ min: 1, max: 4 }),
  autoApply: fc.boolean(),
  withoutBlocks: fc.boolean(),
});

function withOwnEmail(one: ModelRecord): ModelRecord {
  return one.EMAIL === 'own' ? { ...one, EMAIL: `${one.USERNAME}@example.org` } : one;
}

describe('Any sequence of batches and edits by hand', function () {
  this.timeout(300_000);

  it('leaves the directory as a plain model says, with the counts to match', async () => {
    await using harness = await SyncHarness.open({ control: PROPERTY_CONTROL });
    await fc.assert(
      fc
        .asyncProperty(fc.array(step, { minLength: 2, maxLength: 6 }), async (steps) => {
          const model = new DirectoryModel();
          let records: ModelRecord[] = [];
          for (const { batch, repeats, edits, autoApply, withoutBlocks, ...options } of steps) {
            for (const edit of edits) await model.edit(edit, harness);
            records = repeats ? [...batch.slice(0, 1).map(withOwnEmail), ...records] : batch.map(withOwnEmail);
            const settings = { autoApply, chunkSize: options.chunkSize };
            let run = await harness.sync(records, { force: options.force, settings });
            const held = run.status === 'held';
            if (held) run = await harness.execute(run.id, { approval: { ...APPROVAL, withoutBlocks }, settings });
            expect(run.status).to.equal('complete');
            if (run.outcome !== 'nothing-new') {
              const counts = model.apply(records, { force: options.force, withoutBlocks: held && withoutBlocks });
              expect(run.counts).to.deep.equal(counts);
            }
            expect(await model.read(harness)).to.deep.equal(model.expected());
          }
        })
        .afterEach(async () => {
          await harness.empty();
        }),
      { seed: SEED, numRuns: SEQUENCES, endOnFailure: process.env['PROPERTY_SHRINK'] === undefined },
    );
  });
});
