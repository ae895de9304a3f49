import type { ProblemCode } from '../../../src/mapping/problems.js';
import { controlText, USER_INSTRUCTIONS } from './mapping-case.js';

/** Mistakes in control files, one a row. */

export const JOB = { destination: 'profile', name: 'std:attribute:job-title' };
const WORKS_FOR = { source: 's', destination: 'profile', name: 'std:attribute:works-for' };
const PHONE = { source: 's', destination: 'profile', name: 'std:attribute:telephone' };
const DATE = { source: 's', destination: 'profile', name: 'std:attribute:date' };
const GROUPS = { source: 's', destination: 'user', name: 'groups' };

const forEach = (...instructions: object[]): object => ({ action: 'for-each', source: 's', instructions });
export const mapping = (table: object): Record<string, unknown> => ({ mapping: { m: table } });
export const files = (entries: object): Record<string, unknown> => ({ files: entries });

/** What is added to a right control file: an instruction, or keys of the document. */
export type Row = readonly [
  rule: string,
  added: object,
  problem?: readonly [code: ProblemCode, pointer: string, message?: RegExp],
];

const AT = '/instructions/4';

export const INSTRUCTIONS: readonly Row[] = [
  ['an instruction without action is a field', { source: 's', ...JOB }],
  [
    'an unknown action',
    { action: 'fields', source: 's', ...JOB },
    ['unknown-action', `${AT}/action`, /did you mean `field`/],
  ],
  ['an action that is no string', { action: 1 }, ['wrong-type', `${AT}/action`]],
  ['a field needs a source', JOB, ['missing-key', `${AT}/source`, /`source` is missing/]],
  ['a source is a string', { source: 1, ...JOB }, ['wrong-type', `${AT}/source`, /a string, not a number/]],
  [
    'an unknown key is a warning',
    { source: 's', ...JOB, multiValue: true },
    ['unknown-key', `${AT}/multiValue`, /did you mean `multivalue`/],
  ],
  [
    'an unknown destination',
    { source: 's', destination: 'profil', name: 'x' },
    ['unknown-destination', `${AT}/destination`, /did you mean `profile`/],
  ],
  [
    'an unknown name',
    { source: 's', destination: 'profile', name: 'std:attribute:jobtitle' },
    ['unknown-name', `${AT}/name`, /^unknown name `std:attribute:jobtitle`: did you mean `std:attribute:job-title`\?/],
  ],
  [
    'the type of a profile is the business of the sync',
    { source: 's', destination: 'profile', name: 'dc:attribute:type' },
    ['unknown-name', `${AT}/name`],
  ],
  [
    'the e-mail address of a profile is the business of the sync',
    { source: 's', destination: 'profile', name: 'std:attribute:email' },
    ['unknown-name', `${AT}/name`],
  ],
  [
    'an unknown qualifier',
    { source: 's', ...JOB, qualifier: 'std:qualifier:hone' },
    ['unknown-qualifier', `${AT}/qualifier`, /did you mean `std:qualifier:home`/],
  ],
  [
    'a qualifier in a dictionary has no effect',
    { ...GROUPS, qualifier: 'std:qualifier:home' },
    ['unused-key', `${AT}/qualifier`],
  ],
  ['multivalue is true or false', { source: 's', ...JOB, multivalue: 'yes' }, ['wrong-type', `${AT}/multivalue`]],
  [
    'multivalue where one value is held has no effect',
    { source: 's', destination: 'user', name: 'title', multivalue: true },
    ['unused-key', `${AT}/multivalue`],
  ],
  [
    'an unknown filter',
    { source: 's', ...JOB, filters: ['haplo:to-lowercase'] },
    ['unknown-filter', `${AT}/filters/0`, /did you mean `haplo:to-lower-case`/],
  ],
  [
    'filters are a list',
    { source: 's', ...JOB, filters: 'haplo:to-string' },
    ['wrong-type', `${AT}/filters`, /a list, not a string/],
  ],
  ['a filter is named by a string', { source: 's', ...JOB, filters: [1] }, ['wrong-type', `${AT}/filters/0`]],
  ['mapInputValue is an object', { source: 's', ...JOB, mapInputValue: ['a'] }, ['wrong-type', `${AT}/mapInputValue`]],
  [
    'a default without a table has no effect',
    { source: 's', ...JOB, mapInputValueDefault: 'a' },
    ['unused-key', `${AT}/mapInputValueDefault`],
  ],
  ['an unknown mapping', { ...WORKS_FOR, refMapping: 'orgs' }, ['unknown-mapping', `${AT}/refMapping`]],
  ['a country of telephones', { ...PHONE, country: 'UK' }, ['unknown-country', `${AT}/country`]],
  [
    'a country where there is no telephone has no effect',
    { source: 's', ...JOB, country: 'GB' },
    ['unused-key', `${AT}/country`],
  ],
  ['a date needs a format', DATE, ['missing-date-format', AT]],
  [
    'a date format has letters that are supported',
    { ...DATE, dateFormat: 'yyyy-ww' },
    ['invalid-date-format', `${AT}/dateFormat`, /`ww`/],
  ],
  [
    'minutes without an hour are a warning',
    { ...DATE, dateFormat: 'dd.mm.yyyy' },
    ['doubtful-date-format', `${AT}/dateFormat`, /the month is `MM`/],
  ],
  ['a date format with all that is supported', { ...DATE, dateFormat: "EEE dd MMM yyyy 'at' HH:mm:ss.SSS a Z" }],
  [
    'true and false differ',
    { source: 's', destination: 'profile', name: 'test:attribute:boolean', trueValue: 'false' },
    ['same-true-and-false', AT],
  ],
  [
    'a name with parts is not set by field',
    { source: 's', destination: 'profile', name: 'std:attribute:address' },
    ['needs-structured-value', `${AT}/name`, /value:postal-address/],
  ],
  [
    'an attribute group is not set by field',
    { source: 's', destination: 'profile', name: 'test:attribute:post' },
    ['needs-structured-value', `${AT}/name`, /set-attribute-group/],
  ],
  [
    'a constant group that nobody manages',
    { action: 'set-value', value: 'example:group:reviewers', destination: 'user', name: 'groups' },
    ['unknown-group', `${AT}/value`],
  ],
  [
    'a table with a group that is unknown',
    { ...GROUPS, mapInputValue: { a: 'example:group:staf' } },
    ['unknown-group', `${AT}/mapInputValue/a`, /did you mean `example:group:staff`/],
  ],

  ['set-value needs a value', { action: 'set-value', ...JOB }, ['missing-key', `${AT}/value`]],
  ['set-value may set null', { action: 'set-value', value: null, ...JOB }],
  [
    'an unknown structured type',
    { action: 'field-structured', structured: 'value:name', ...JOB },
    ['unknown-structured-type', `${AT}/structured`],
  ],
  [
    'a structured value of the type of the name',
    {
      action: 'field-structured',
      structured: 'value:person-name',
      destination: 'profile',
      name: 'dc:attribute:title',
      qualifier: 'dc:qualifier:alternative',
    },
  ],
  [
    'a name of a profile without qualifier',
    { action: 'field-structured', structured: 'value:person-name', destination: 'profile', name: 'dc:attribute:title' },
    ['name-set-by-sync', AT],
  ],
  [
    'a structured value of another type',
    { action: 'field-structured', structured: 'value:person-name', ...JOB },
    ['structured-mismatch', `${AT}/structured`],
  ],
  [
    'an unknown attribute group',
    {
      action: 'set-attribute-group',
      source: 'profile:attribute-group:x',
      destination: 'profile',
      name: 'test:attribute:post',
    },
    ['unknown-attribute-group', `${AT}/source`],
  ],
  [
    'an attribute group for another name',
    { action: 'set-attribute-group', source: 'profile:attribute-group:test:attribute:post', ...JOB },
    ['structured-mismatch', `${AT}/source`],
  ],
  ['remove-values needs a name', { action: 'remove-values', destination: 'profile' }, ['missing-key', `${AT}/name`]],
  ['a condition does something', { action: 'if-exists', source: 's' }, ['missing-key', AT, /neither/]],
  [
    'values are a list',
    { action: 'if-value-one-of', source: 's', values: 'a', then: [] },
    ['wrong-type', `${AT}/values`],
  ],
  [
    'then is a list',
    { action: 'if-exists', source: 's', then: {} },
    ['wrong-type', `${AT}/then`, /a list of instructions, not an object/],
  ],
  [
    'an instruction is an object',
    { action: 'if-exists', source: 's', then: [[]] },
    ['wrong-type', `${AT}/then/0`, /an object, not a list/],
  ],
  [
    'nested instructions are checked',
    { action: 'within', source: 's', instructions: [JOB] },
    ['missing-key', `${AT}/instructions/0/source`],
  ],
  ['within needs instructions', { action: 'within', source: 's' }, ['missing-key', `${AT}/instructions`]],
  [
    'wrapValues is true or false',
    { action: 'for-each', source: 's', wrapValues: 1, instructions: [] },
    ['wrong-type', `${AT}/wrapValues`],
  ],
  ['abort-record needs a message', { action: 'abort-record' }, ['missing-key', `${AT}/message`]],
  ['log-error needs a message', { action: 'log-error' }, ['missing-key', `${AT}/message`]],

  [
    'an assignment in a loop overwrites',
    forEach({ source: 'v', ...JOB }),
    ['overwrites-in-loop', `${AT}/instructions/0`],
  ],
  [
    'a constant in a loop overwrites',
    forEach({ action: 'set-value', value: 1, ...JOB }),
    ['overwrites-in-loop', `${AT}/instructions/0`],
  ],
  [
    'a structured value in a loop overwrites',
    forEach({
      action: 'field-structured',
      structured: 'value:person-name',
      destination: 'profile',
      name: 'dc:attribute:title',
    }),
    ['overwrites-in-loop', `${AT}/instructions/0`],
  ],
  [
    'an assignment inside a condition in a loop overwrites',
    forEach({ action: 'if-exists', source: 's', else: [{ source: 'v', ...JOB }] }),
    ['overwrites-in-loop', `${AT}/instructions/0/else/0`],
  ],
  ['multivalue in a loop adds', forEach({ source: 'v', ...JOB, multivalue: true })],
  ['parts are collected in a loop', forEach({ source: 'v', destination: 'value:postal-address', name: 'city' })],
  ['remove-values in a loop is fine', forEach({ action: 'remove-values', ...JOB })],

  ['new of the user', { action: 'new', destination: 'user' }, ['not-in-user-sync', `${AT}/destination`]],
  ['new of the profile', { action: 'new', destination: 'profile' }, ['not-in-user-sync', `${AT}/destination`]],
  [
    'load of the profile',
    { action: 'load', destination: 'profile', using: 'load:by-ref' },
    ['not-in-user-sync', `${AT}/destination`],
  ],
  ['load needs using', { action: 'load', destination: 'profile' }, ['missing-key', `${AT}/using`]],
  [
    'assert-destination of the profile',
    { action: 'assert-destination', destination: 'profile', exists: true },
    ['wrong-destination', `${AT}/destination`],
  ],
  [
    'new of an unknown destination',
    { action: 'new', destination: 'boook' },
    ['unknown-destination', `${AT}/destination`, /did you mean `book`/],
  ],
  ['new of a dependent destination', { action: 'new', destination: 'book' }],
  [
    'assert-destination of a dependent destination',
    { action: 'assert-destination', destination: 'book', exists: true },
  ],
  [
    'assert-destination without exists',
    { action: 'assert-destination', destination: 'book' },
    ['missing-key', `${AT}/exists`],
  ],
  ['new of a dictionary', { action: 'new', destination: 'test:locker' }, ['wrong-destination', `${AT}/destination`]],
  ['new of the tags', { action: 'new', destination: 'user:tags' }, ['wrong-destination', `${AT}/destination`]],
  ['load by ref', { action: 'load', destination: 'book', using: 'load:by-ref' }],
  ['load without using', { action: 'load', destination: 'book' }, ['missing-key', `${AT}/using`]],
  [
    'load with an unknown way to load',
    { action: 'load', destination: 'book', using: 'load:by-reff' },
    ['unknown-destination', `${AT}/using`, /did you mean `load:by-ref`/],
  ],
  [
    'load with a problem in what to do otherwise',
    {
      action: 'load',
      destination: 'book',
      using: 'load:by-ref',
      otherwise: [{ action: 'newer', destination: 'book' }],
    },
    ['unknown-action', `${AT}/otherwise/0/action`],
  ],
  [
    'a field of a dependent destination that it does not have',
    { source: 's', destination: 'book', name: 'std:attribute:url' },
    ['unknown-name', `${AT}/name`],
  ],
  [
    'the attribute that links an object to its owner',
    { source: 's', destination: 'book', name: 'test:attribute:owner' },
    ['unknown-name', `${AT}/name`],
  ],
  ['a field of a dependent destination', { source: 's', destination: 'book', name: 'test:attribute:book-title' }],
  ['a field of a dictionary', { source: 's', destination: 'test:locker', name: 'number' }],
  ['a field of load:by-ref', { source: 's', destination: 'load:by-ref', name: 'ref' }],
  [
    'a reference to a person by e-mail',
    {
      source: 's',
      destination: 'profile',
      name: 'std:attribute:relationship-manager',
      filters: ['haplo:email-to-ref'],
    },
  ],
  [
    'a reference to a person by username',
    {
      source: 's',
      destination: 'profile',
      name: 'std:attribute:relationship-manager',
      filters: ['haplo:username-to-ref'],
    },
  ],
  ['if-has-value on the profile', { action: 'if-has-value', ...JOB, then: [] }],
  ['if-has-value on the user', { action: 'if-has-value', destination: 'user', name: 'title', then: [] }],
  [
    'the username set again',
    { action: 'if-exists', source: 's', then: [{ source: 's', destination: 'user', name: 'username' }] },
    ['username-set-twice', '/instructions'],
  ],
];

export const DOCUMENT: readonly Row[] = [
  ['another version', { dataImportControlFileVersion: 1 }, ['unsupported-version', '/dataImportControlFileVersion']],
  [
    'a version that is no number',
    { dataImportControlFileVersion: '0' },
    ['unsupported-version', '/dataImportControlFileVersion'],
  ],
  ['another model', { model: 'haplo:person' }, ['wrong-model', '/model']],
  ['an unknown key', { maping: {} }, ['unknown-key', '/maping', /did you mean `mapping`/]],
  ['an unknown record processor', { recordProcessor: 'join' }, ['unknown-record-processor', '/recordProcessor']],
  ['instructions that are no list', { instructions: {} }, ['wrong-type', '/instructions']],
  [
    'no unconditional username',
    { instructions: [{ action: 'if-exists', source: 's', then: USER_INSTRUCTIONS }] },
    ['no-username', '/instructions'],
  ],
  [
    'a constant username',
    { instructions: [{ action: 'set-value', value: 'x', destination: 'user', name: 'username' }] },
    ['no-username', '/instructions'],
  ],
  ['no files', files({}), ['no-files', '/files']],
  ['files that are a list', files([]), ['wrong-type', '/files']],
  ['a file for all others', files({ DEFAULT: { read: 'json' } }), ['default-file', '/files/DEFAULT']],
  ['a file name with an extension', files({ 'a.json': { read: 'json' } }), ['invalid-file-name', '/files/a.json']],
  [
    'a file name that means something else',
    files({ _control: { read: 'json' } }),
    ['invalid-file-name', '/files/_control'],
  ],
  ['a file that is no object', files({ users: 'json' }), ['wrong-type', '/files/users']],
  ['a file without format', files({ users: {} }), ['missing-key', '/files/users/read']],
  [
    'an unknown format',
    files({ users: { read: 'jsn' } }),
    ['unknown-reader', '/files/users/read', /did you mean `json`/],
  ],
  [
    'an option that the format has not',
    files({ users: { read: 'json', charset: 'utf-8' } }),
    ['unknown-key', '/files/users/charset'],
  ],
  [
    'an option of the wrong kind',
    files({ users: { read: 'json', singleRecord: 'yes' } }),
    ['wrong-type', '/files/users/singleRecord'],
  ],
  [
    'an unknown charset',
    files({ users: { read: 'csv', charset: 'utf-9' } }),
    ['unknown-charset', '/files/users/charset'],
  ],
  ['a charset as people write it', files({ users: { read: 'csv', charset: 'Cp1252' } })],
  [
    'a separator of nothing',
    files({ users: { read: 'tsv-with-name-row', separator: '' } }),
    ['invalid-option', '/files/users/separator'],
  ],
  ['a separator of several characters', files({ users: { read: 'tsv-with-name-row', separator: ', ' } })],
  ['a mapping that is no object', { mapping: { m: [] } }, ['wrong-type', '/mapping/m']],
  ['a mapping without values', mapping({ using: 'behaviour' }), ['missing-key', '/mapping/m/values']],
  [
    'a mapping by something else',
    mapping({ using: 'name', types: [], values: {} }),
    ['wrong-type', '/mapping/m/using'],
  ],
  ['a mapping by title without types', mapping({ using: 'title', values: {} }), ['missing-key', '/mapping/m/types']],
  [
    'a mapping with an unknown type',
    mapping({ using: 'title', types: ['std:type:organization'], values: {} }),
    ['unknown-type', '/mapping/m/types/0', /did you mean `std:type:organisation`/],
  ],
  [
    'a mapping to an unknown behaviour',
    mapping({ using: 'behaviour', values: { a: 'example:org:scence' } }),
    ['unknown-behaviour', '/mapping/m/values/a', /did you mean `example:org:science`/],
  ],
  ['a mapping to a number', mapping({ using: 'behaviour', values: { a: 1 } }), ['wrong-type', '/mapping/m/values/a']],
  ['a mapping that nothing uses', mapping({ using: 'behaviour', values: {} }), ['unused-mapping', '/mapping/m']],
];

export const TEXTS: readonly (readonly [what: string, text: string, code: ProblemCode])[] = [
  ['no JSON', '{"files":', 'not-json'],
  ['a list', '[]', 'wrong-type'],
  ['a key twice', controlText(USER_INSTRUCTIONS).replace('{', '{"model":"haplo:user-sync",'), 'duplicate-key'],
  [
    'a number that cannot be kept',
    controlText([{ action: 'set-value', value: '!', ...JOB }]).replace('"!"', '9007199254740993'),
    'inexact-number',
  ],
  ['nesting without end', '['.repeat(1000), 'too-deep'],
];
