import { expect } from 'chai';
import fc from 'fast-check';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Values = Readonly<Record<string, readonly Json[]>>;

interface Case {
  readonly given: Readonly<Record<string, Json>>;
  /** Where its only reference stands, and what it resolves to. */
  readonly at: readonly string[];
  readonly ref: string;
}

const SEED = Number(process.env['PROPERTY_SEED'] ?? 20261122);
const QUALIFIERS = ['std:qualifier:home', 'std:qualifier:office'];
const MANAGER = 'std:attribute:relationship-manager';
const CODES = ['std:attribute:url', 'dc:attribute:title', MANAGER, 'test:attribute:loan', 'test:attribute:"{,}'];

const code = fc.constantFrom(...CODES);
const qualifier = fc.option(fc.constantFrom(...QUALIFIERS), { nil: undefined });

function entry(value: Json, named: string | undefined): Json {
  return named === undefined ? { value } : { value, qualifier: named };
}

const plainEntry = fc
  .tuple(fc.jsonValue() as fc.Arbitrary<Json>, qualifier)
  .map(([value, named]) => entry(withoutNull(value), named));
const values: fc.Arbitrary<Values> = fc.dictionary(code, fc.array(plainEntry, { maxLength: 3 }), { maxKeys: 3 });
const drop = fc.dictionary(
  code,
  fc.oneof(fc.constant<Json>(true), fc.subarray<Json>([null, ...QUALIFIERS]) as fc.Arbitrary<Json>),
);

/** Values among which one is a reference, alone or in a group, with its path. */
const referring = fc
  .record({
    values,
    attribute: code,
    index: fc.nat({ max: 3 }),
    named: qualifier,
    group: fc.option(fc.record({ values, attribute: code, index: fc.nat({ max: 3 }) }), { nil: undefined }),
  })
  .map(({ values: others, attribute, index, named, group }) => {
    const person: Json = { username: 'somebody' };
    if (group === undefined) return withEntry(others, attribute, index, entry(person, named));
    const inside = withEntry(group.values, group.attribute, group.index, entry(person, named));
    const outside = withEntry(others, attribute, index, { value: inside.values });
    return { values: outside.values, at: [...outside.at, 'value', ...inside.at] };
  });

const inProfile = fc.record({ referring, drop, values }).map(({ referring: { values: profile, at }, ...more }) => ({
  given: {
    profile,
    drop: { profile: more.drop },
    dependents: [{ destination: 'book', place: 0, make: true, values: more.values }],
  },
  at: ['profile', ...at],
}));
const inDependent = fc
  .record({ referring, drop, values, before: fc.array(values, { maxLength: 2 }) })
  .map(({ referring: { values: own, at }, before, ...more }) => ({
    given: {
      profile: more.values,
      dependents: [...before.map((other) => ({ values: other })), { values: own, drop: more.drop }],
    },
    at: ['dependents', String(before.length), 'values', ...at],
  }));
const anyCase: fc.Arbitrary<Case> = fc
  .record({ patch: fc.oneof(inProfile, inDependent), ref: fc.maxSafeNat().map(String) })
  .map(({ patch: { given, at }, ref }) => ({ given: { ...given, people: [{ username: 'somebody', at }] }, at, ref }));

describe('The short way to put one person into a record', () => {
  let test: TestDatabase;

  before(async () => {
    test = await createTestDatabase();
  });

  after(async () => {
    await test.drop();
  });

  it('gives what the general one gives, wherever the reference stands', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyCase, { minLength: 1, maxLength: 20 }), async (cases) => {
        const rows = await test.database.query<{ short: Json; general: Json }>(
          `select sync.linked(given, array(select jsonb_array_elements_text(at)) || 'value'::text,
                              jsonb_build_object('ref', ref), null) as short,
                  sync.linked(given, null, null,
                              jsonb_build_array(jsonb_build_object('at', at, 'ref', ref))) as general
           from jsonb_to_recordset($1::jsonb) as one (given jsonb, at jsonb, ref text)`,
          [JSON.stringify(cases)],
        );
        expect(rows).to.have.length(cases.length);
        rows.forEach(({ short, general }, index) => {
          const { at, ref } = cases[index]!;
          expect(short).to.deep.equal(general);
          expect(short).not.to.have.property('people');
          expect(valueAt(short, [...at, 'value'])).to.deep.equal({ ref });
        });
      }),
      { seed: SEED, numRuns: 50 },
    );
  });

  it('leaves a record alone that refers to nobody', async () => {
    const given = { profile: { [MANAGER]: [{ value: { username: 'as json' } }] } };
    const [row] = await test.database.query<{ same: Json }>('select sync.linked($1, null, null, null) as same', [
      JSON.stringify(given),
    ]);
    expect(row?.same).to.deep.equal(given);
  });

  it('is part of the query that uses it, which is what makes it short', async () => {
    const plan = await test.database.query<{ 'QUERY PLAN': string }>(
      `explain (verbose) select sync.linked(mapped::jsonb, path, value, places)
       from (values ('{}', null::text[], null::jsonb, null::jsonb), ('{}', null, null, null))
         as record (mapped, path, value, places)`,
    );
    const text = plan.map((row) => row['QUERY PLAN']).join('\n');
    expect(text).to.include('jsonb_set');
    expect(text).not.to.include('linked(');
  });
});

/** Puts an entry into the list of an attribute, as far down as `index` or else last; and tells its path. */
function withEntry(others: Values, attribute: string, index: number, one: Json): { values: Values; at: string[] } {
  const list = others[attribute] ?? [];
  const position = Math.min(index, list.length);
  return {
    values: { ...others, [attribute]: [...list.slice(0, position), one, ...list.slice(position)] },
    at: [attribute, String(position)],
  };
}

function valueAt(whole: Json | undefined, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((part, key) => (part as Record<string, Json> | undefined)?.[key], whole);
}

/** Postgres has no zero bytes in text. */
function withoutNull(value: Json): Json {
  return JSON.parse(JSON.stringify(value).replaceAll(/\\u0000/g, '')) as Json;
}
