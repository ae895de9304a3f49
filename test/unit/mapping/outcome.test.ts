import { expect } from 'chai';
import type { InputRecord } from '../../../src/domain/record.js';
import { compileControlFile, type TraceEvent } from '../../../src/mapping/compile.js';
import { previewOutcome, previewRejection, withExplanation } from '../../../src/mapping/preview.js';
import {
  accepted,
  codesOf,
  controlText,
  mapped,
  mappingOf,
  model,
  USER_FIELDS,
  USER_INSTRUCTIONS,
  validControl,
} from './mapping-case.js';

const POSITION = { record: 1, line: 2, byte: 3 };

describe('the outcome of mapping', () => {
  it('is a user with what was set', () => {
    const title = { source: 't', destination: 'user', name: 'title' };
    expect(accepted([title], { t: 'Dr' })).to.deep.equal({
      accepted: true,
      username: 'joe',
      user: {
        username: 'joe',
        email: 'joe@example.org',
        title: 'Dr',
        nameFirst: 'Joe',
        nameLast: 'Bloggs',
        groups: [],
      },
      tags: {},
      dictionaries: {},
      profile: {},
      dependents: [],
      errors: [],
    });
  });

  it('does not depend on the record before', () => {
    const mapping = mappingOf([
      { source: 't', destination: 'user', name: 'title' },
      { source: 'g', destination: 'user', name: 'groups', multivalue: true },
      { source: 'j', destination: 'profile', name: 'std:attribute:job-title' },
      { source: 'x', destination: 'profile', name: 'std:attribute:url' },
      { source: 's', destination: 'value:postal-address', name: 'street1' },
    ]);
    const first = mapping.map({ ...USER_FIELDS, t: 'Dr', g: 'example:group:staff', j: 'J', x: 'bad', s: 'S' });
    const before = structuredClone(first);
    const second = mapping.map({ ...USER_FIELDS, x: 'bad' });
    expect(first).to.deep.equal(before);
    expect(second).to.deep.include({ accepted: true, profile: {} });
    expect(second.errors).to.have.length(1);
    expect(mapping.map(USER_FIELDS).errors).to.deep.equal([]);
  });

  describe('username', () => {
    const usernames: readonly (readonly [what: string, input: InputRecord, username: string | null])[] = [
      ['is lower-cased', { u: 'JBloggs' }, 'jbloggs'],
      ['is opaque: spaces are kept', { u: ' a b ' }, ' a b '],
      ['is lower-cased by Unicode without a locale', { u: 'İ' }, 'i̇'],
      ['may be a number', { u: 12345 }, '12345'],
      ['may be hostile', { u: "'; DROP TABLE users; --" }, "'; drop table users; --"],
      ['may be the name of a prototype', { u: '__proto__' }, '__proto__'],
      ['of 255 characters is fine', { u: 'x'.repeat(255) }, 'x'.repeat(255)],
      ['of 256 characters is none', { u: 'x'.repeat(256) }, null],
      ['that grows beyond 255 characters is none', { u: 'İ'.repeat(200) }, null],
      ['that is empty is none', { u: '' }, null],
      ['that is absent is none', { u: null }, null],
      ['that is a list is none', { u: ['a'] }, null],
      ['with a null character is none', { u: 'a\u0000' }, null],
      ['with half a character is none', { u: 'a\ud800' }, null],
      ['that may have been another number is none', { u: 2 ** 60 }, null],
    ];
    for (const [what, input, username] of usernames) {
      it(`${what}, both mapped and read alone`, () => {
        const record = { ...USER_FIELDS, ...input };
        const outcome = mappingOf([]).map(record);
        expect(outcome).to.include({ accepted: username !== null, username });
        expect(mappingOf([]).readUsername(record)).to.equal(username);
        if (username === null) expect(codesOf(outcome)).to.include('missing-username');
      });
    }

    it('is read with the conversions of its instruction', () => {
      const instruction = { source: 'id', destination: 'user', name: 'username', mapInputValue: { '7': 'SEVEN' } };
      const mapping = compileControlFile(
        validControl(controlText([instruction, ...USER_INSTRUCTIONS.slice(1)])),
        model,
      );
      expect(mapping.readUsername({ id: '7' })).to.equal('seven');
      expect(mapping.readUsername({})).to.equal(null);
      expect(mapping.map({ ...USER_FIELDS, id: 7 }).username).to.equal('seven');
    });
  });

  for (const [field, name] of [
    ['first', 'nameFirst'],
    ['last', 'nameLast'],
    ['email', 'email'],
  ] as const) {
    it(`without ${name} is a rejection that names the source`, () => {
      const outcome = mapped([], { [field]: '' });
      expect(outcome).to.include({ accepted: false, username: 'joe' });
      expect(outcome.errors.map(({ code, source }) => [code, source])).to.deep.equal([['missing-value', field]]);
    });
  }

  it('rejects a user whose e-mail address is none', () => {
    expect(codesOf(mapped([], { email: '@example.org' }))).to.deep.equal(['invalid-email', 'missing-value']);
    expect(codesOf(mapped([], { email: 7 }))).to.deep.equal(['invalid-email', 'missing-value']);
  });

  it('finds everything that is wrong with a record at once', () => {
    expect(codesOf(mapped([], { u: '', first: '', last: '', email: '' }))).to.deep.equal([
      'missing-username',
      'missing-value',
      'missing-value',
      'missing-value',
    ]);
  });

  describe('groups', () => {
    const groups = {
      action: 'for-each',
      source: 'g',
      wrapValues: true,
      instructions: [{ source: 'value', destination: 'user', name: 'groups', multivalue: true }],
    };

    it('are in the order of the model, each once', () => {
      const g = ['example:group:students', 'example:group:staff', 'example:group:students'];
      expect(accepted([groups], { g }).user.groups).to.deep.equal(['example:group:staff', 'example:group:students']);
    });

    it('without multivalue are the last one', () => {
      const one = (source: string): object => ({ source, destination: 'user', name: 'groups' });
      const outcome = accepted([one('a'), one('b')], { a: 'example:group:staff', b: 'example:group:students' });
      expect(outcome.user.groups).to.deep.equal(['example:group:students']);
    });

    it('can be removed', () => {
      const remove = { action: 'remove-values', destination: 'user', name: 'groups' };
      expect(accepted([groups, remove], { g: ['example:group:staff'] }).user.groups).to.deep.equal([]);
    });

    for (const [code, group] of [
      ['unknown-group', 'example:group:nobody'],
      ['unknown-group', '__proto__'],
      ['unmanaged-group', 'example:group:reviewers'],
    ] as const) {
      it(`reject the record for ${group}: ${code}`, () => {
        const outcome = mapped([groups], { g: ['example:group:staff', group] });
        expect(outcome).to.include({ accepted: false, username: 'joe' });
        expect(outcome.errors[0]).to.include({ code, source: 'value', value: group });
      });
    }
  });

  it('tells which tags the record sets and removes', () => {
    const card = { source: 'card', destination: 'user:tags', name: 'example:tag:card-number' };
    const door = { action: 'remove-values', destination: 'user:tags', name: 'test:tag:door' };
    expect(accepted([card, door], { card: 123 }).tags).to.deep.equal({
      'example:tag:card-number': '123',
      'test:tag:door': null,
    });
    expect(accepted([card], {}).tags).to.deep.equal({});
  });

  it('a removed name of the user is empty', () => {
    const title = [
      { source: 't', destination: 'user', name: 'title' },
      { action: 'remove-values', destination: 'user', name: 'title' },
    ];
    expect(accepted(title, { t: 'Dr' }).user.title).to.equal(null);
  });

  it('knows the names that the control file mentions', () => {
    const mapping = mappingOf([
      { source: 's', destination: 'value:postal-address', name: 'street1' },
      {
        action: 'if-exists',
        source: 'x',
        then: [{ action: 'remove-values', destination: 'user:tags', name: 'test:tag:door' }],
      },
      {
        action: 'within',
        source: 'x',
        instructions: [{ source: 'j', destination: 'profile', name: 'std:attribute:job-title' }],
      },
    ]);
    expect(mapping.mentioned).to.deep.equal([
      'user/username',
      'user/nameFirst',
      'user/nameLast',
      'user/email',
      'user:tags/test:tag:door',
      'profile/std:attribute:job-title',
    ]);
  });

  it('can be traced back to the instructions', () => {
    const events: TraceEvent[] = [];
    const instructions = [
      ...USER_INSTRUCTIONS,
      {
        action: 'if-exists',
        source: 'j',
        then: [
          { source: 'j', destination: 'profile', name: 'std:attribute:job-title', qualifier: 'std:qualifier:home' },
        ],
      },
      { action: 'remove-values', destination: 'profile', name: 'std:attribute:url' },
    ];
    const mapping = compileControlFile(validControl(controlText(instructions)), model, undefined, (event) =>
      events.push(event),
    );
    mapping.map({ ...USER_FIELDS, j: 'Dean' });
    expect(events[0]).to.deep.equal({
      pointer: '/instructions/0',
      destination: 'user',
      name: 'username',
      kind: 'set',
      source: 'u',
      value: 'Joe',
    });
    expect(events.slice(-2)).to.deep.equal([
      {
        pointer: '/instructions/4/then/0',
        destination: 'profile',
        name: 'std:attribute:job-title',
        kind: 'set',
        source: 'j',
        qualifier: 'std:qualifier:home',
        value: 'Dean',
      },
      { pointer: '/instructions/5', destination: 'profile', name: 'std:attribute:url', kind: 'remove' },
    ]);
  });

  it('is previewed as one line, without offending values', () => {
    const instructions = [
      { source: 'j', destination: 'profile', name: 'std:attribute:job-title', qualifier: 'std:qualifier:home' },
      { action: 'remove-values', destination: 'profile', name: 'std:attribute:notes' },
      { source: 'w', destination: 'profile', name: 'std:attribute:url' },
    ];
    const line = previewOutcome('users', POSITION, accepted(instructions, { j: 'X', w: 'secret' }));
    const message = line.errors[0]?.message ?? '';
    expect(JSON.stringify(line)).to.equal(
      '{"file":"users","record":1,"line":2,"username":"joe","accepted":true,"user":{"username":"joe","email":"joe@example.org",' +
        '"nameFirst":"Joe","nameLast":"Bloggs","groups":[]},"tags":{},"profile":{"std:attribute:job-title":[{"value":"X",' +
        '"qualifier":"std:qualifier:home"}],"std:attribute:notes":[]},"dependents":{},"errors":[{"code":"invalid-url",' +
        `"source":"w","message":${JSON.stringify(message)}}]}`,
    );
  });

  it('can be traced back to the objects that `new` and `load` begin', () => {
    const events: TraceEvent[] = [];
    const title = { destination: 'book', name: 'test:attribute:book-title' };
    const instructions = [
      ...USER_INSTRUCTIONS,
      { source: 'own', ...title },
      { action: 'new', destination: 'book' },
      { source: 'page', ...title, destination: 'book:page' },
      { source: 'ref', destination: 'load:by-ref', name: 'ref', filters: ['haplo:string-to-ref'] },
      { action: 'load', destination: 'book', using: 'load:by-ref' },
      { action: 'remove-values', ...title },
      { source: 'own', ...title, multivalue: true },
    ];
    const mapping = compileControlFile(validControl(controlText(instructions)), model, undefined, (event) =>
      events.push(event),
    );
    const outcome = mapping.map({ ...USER_FIELDS, own: 'A', page: '1', ref: '7' });
    const steps = events.slice(USER_INSTRUCTIONS.length);
    expect(steps.map(({ kind, destination, name, object }) => [kind, destination, name, object])).to.deep.equal([
      ['set', 'book', title.name, 1],
      ['new', 'book', '', 2],
      ['set', 'book:page', title.name, 3],
      ['set', 'load:by-ref', 'ref', undefined],
      ['load', 'book', '', 4],
      ['remove', 'book', title.name, 4],
      ['add', 'book', title.name, 4],
    ]);
    const line = previewOutcome('users', POSITION, outcome);
    expect(line.dependents).to.deep.equal({
      book: [
        { object: 1, place: 1, attributes: { [title.name]: [{ value: 'A' }] } },
        { object: 2, place: 2, attributes: {} },
        { object: 4, ref: '7', attributes: { [title.name]: [{ value: 'A' }] } },
      ],
      'book:page': [{ object: 3, place: 1, owner: 2, attributes: { [title.name]: [{ value: '1' }] } }],
    });
    expect(withExplanation(line, steps).explain[4]).to.deep.equal({
      pointer: '/instructions/8',
      destination: 'book',
      name: '',
      kind: 'load',
      object: 4,
    });
  });

  it('keeps the numbers of objects when nothing is left of one before', () => {
    const title = { destination: 'book', name: 'test:attribute:book-title' };
    const instructions = [
      { action: 'new', destination: 'book' },
      { action: 'new', destination: 'book' },
      { source: 'own', ...title },
    ];
    expect(previewOutcome('users', POSITION, accepted(instructions, { own: 'A' })).dependents).to.deep.equal({
      book: [{ object: 2, place: 3, attributes: { [title.name]: [{ value: 'A' }] } }],
    });
  });

  it('is previewed with dictionaries when the record says anything of one', () => {
    const locker = [
      { source: 'number', destination: 'test:locker', name: 'number' },
      { action: 'remove-values', destination: 'test:locker', name: 'colour' },
    ];
    const line = previewOutcome('users', POSITION, accepted(locker, { number: '7' }));
    expect(line.dictionaries).to.deep.equal({ 'test:locker': { number: 7, colour: null } });
    expect(previewOutcome('users', POSITION, accepted(locker.slice(0, 1), {}))).not.to.have.property('dictionaries');
  });

  it('is previewed with the same members when rejected', () => {
    const line = previewOutcome('users', POSITION, mapped([], { email: '' }));
    expect(Object.keys(line)).to.deep.equal(Object.keys(previewOutcome('users', POSITION, accepted([], {}))));
    expect(line).to.deep.include({ accepted: false, username: 'joe', user: {}, profile: {} });
    const errors = [{ code: 'invalid-encoding', value: 'v', message: 'm' }] as const;
    expect(previewRejection('users', POSITION, null, errors).errors).to.deep.equal([
      { code: 'invalid-encoding', message: 'm' },
    ]);
  });
});
