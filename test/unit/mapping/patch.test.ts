import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../src/lib/package-root.js';
import type { AcceptedRecord } from '../../../src/mapping/mapped.js';
import { ValueCounts } from '../../../src/mapping/given-names.js';
import { PatchBuilder } from '../../../src/mapping/patch.js';
import { parseModel } from '../../../src/model/parse-model.js';

const MODEL = parseModel(readFileSync(join(packageRoot(), 'config', 'model.json'), 'utf8'), 'the shipped model');

const MENTIONED = ['user/title', 'user/groups'];

function record(more: Partial<AcceptedRecord> = {}): AcceptedRecord {
  return {
    accepted: true,
    username: 'ada',
    user: { username: 'ada', email: 'ada@example.org', title: null, nameFirst: 'Ada', nameLast: 'King', groups: [] },
    tags: {},
    dictionaries: {},
    profile: {},
    dependents: [],
    errors: [],
    ...more,
  };
}

function build(accepted: AcceptedRecord): Record<string, unknown> {
  return JSON.parse(new PatchBuilder(MODEL, MENTIONED).build(accepted)) as Record<string, unknown>;
}

describe('The patch of a record', () => {
  it('holds what the sync itself sets: name, e-mail address and type of the profile', () => {
    expect(build(record())).to.deep.equal({
      user: { email: 'ada@example.org', title: null, nameFirst: 'Ada', nameLast: 'King', groups: [] },
      tags: {},
      types: ['std:type:person'],
      profile: {
        'dc:attribute:title': [{ value: { first: 'Ada', last: 'King' } }],
        'std:attribute:email': [{ value: 'ada@example.org' }],
      },
    });
  });

  it('says nothing of title, groups and types when the control file does not mention them', () => {
    const patch = JSON.parse(new PatchBuilder(MODEL, []).build(record())) as Record<string, unknown>;
    expect(patch).to.not.have.property('types');
    expect(patch['user']).to.deep.equal({ email: 'ada@example.org', nameFirst: 'Ada', nameLast: 'King' });
  });

  it('has the active types of all managed groups', () => {
    const { user } = record();
    const groups = ['example:group:staff', 'example:group:students'];
    expect(build(record({ user: { ...user, groups } }))['types']).to.deep.equal([
      'std:type:person:staff',
      'std:type:person:student',
    ]);
  });

  it('is the same text whatever the order in which names and keys were set', () => {
    const one = { drop: 'all', values: [{ value: { a: 1, b: [{ c: 2, d: 3 }] } }] } as const;
    const same = { drop: 'all', values: [{ value: { b: [{ d: 3, c: 2 }], a: 1 } }] } as const;
    const text = { drop: 'all', values: [{ value: 'x' }] } as const;
    const builder = new PatchBuilder(MODEL, MENTIONED);
    expect(builder.build(record({ profile: { 'x:one': one, 'x:two': text } }))).to.equal(
      builder.build(record({ profile: { 'x:two': text, 'x:one': same } })),
    );
  });

  it('tells values that are removed from names that are left alone', () => {
    const patch = build(
      record({
        tags: { 'tag:kept': 'x', 'tag:gone': null },
        profile: {
          'x:gone': { drop: 'all', values: [] },
          'x:added': { drop: [], values: [{ value: 1 }] },
          'x:qualified': { drop: ['q'], values: [{ value: 2, qualifier: 'q' }] },
        },
      }),
    );
    expect(patch['drop']).to.deep.equal({
      tags: ['tag:gone'],
      profile: { 'x:gone': true, 'x:added': [], 'x:qualified': ['q'] },
    });
    expect(patch['tags']).to.deep.equal({ 'tag:kept': 'x' });
    expect(patch['profile']).to.not.have.property('x:gone');
  });

  it('keeps the name first among the titles that the record sets, and drops other unqualified ones', () => {
    const { profile, drop } = build(
      record({
        profile: {
          'dc:attribute:title': {
            drop: ['q'],
            values: [{ value: { last: 'Other' } }, { value: { last: 'Alias' }, qualifier: 'q' }],
          },
        },
      }),
    ) as { profile: Record<string, unknown>; drop: unknown };
    expect(profile['dc:attribute:title']).to.deep.equal([
      { value: { first: 'Ada', last: 'King' } },
      { value: { last: 'Alias' }, qualifier: 'q' },
    ]);
    expect(drop).to.deep.equal({ profile: { 'dc:attribute:title': [null, 'q'] } });
  });

  it('counts the records that give a value, by name', () => {
    const builder = new PatchBuilder(MODEL, [...MENTIONED, 'user:tags/t', 'profile/x:a']);
    const counts = new ValueCounts(builder.given.names);
    builder.build(record({ tags: { t: 'x' }, profile: { 'x:a': { drop: 'all', values: [{ value: 1 }] } } }));
    counts.add(builder.given.toHex());
    builder.build(record({ tags: { t: null }, profile: { 'x:a': { drop: 'all', values: [] } } }));
    counts.add(builder.given.toHex());
    expect(counts.toRecord()).to.deep.equal({
      'user/title': 0,
      'user/groups': 0,
      'user:tags/t': 1,
      'profile/x:a': 1,
    });
  });
});
