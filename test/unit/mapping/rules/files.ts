import { controlText, USER_INSTRUCTIONS } from '../mapping-case.js';
import { checks, field, maps, put, runs, type Chapter } from './rule.js';

const json = { read: 'json' };

/** The control file as a whole with one key changed, or left out when undefined. */
function whole(key: string, value: unknown): string {
  const document = JSON.parse(controlText(USER_INSTRUCTIONS)) as Record<string, unknown>;
  return JSON.stringify({ ...document, [key]: value });
}

export const FILES: Chapter = {
  name: 'files',
  rules: [
    {
      id: 'files.version.1',
      rule: 'The version of the control file is the number 0',
      cases: [
        checks(whole('dataImportControlFileVersion', 0), []),
        checks(whole('dataImportControlFileVersion', 1), ['unsupported-version /dataImportControlFileVersion']),
        checks(whole('dataImportControlFileVersion', '0'), ['unsupported-version /dataImportControlFileVersion']),
        checks(whole('dataImportControlFileVersion', undefined), ['missing-key /dataImportControlFileVersion']),
      ],
    },
    {
      id: 'files.model.1',
      rule: 'The model is that of a user sync',
      cases: [
        checks(whole('model', 'haplo:user-sync'), []),
        checks(whole('model', 'haplo:other'), ['wrong-model /model']),
        checks(whole('model', 7), ['wrong-type /model']),
        checks(whole('model', undefined), ['missing-key /model']),
      ],
    },
    {
      id: 'files.files.1',
      rule: 'Each file has a name and says how it is read',
      cases: [
        checks(whole('files', { users: json, guests: { read: 'csv', delimiter: ';' } }), []),
        checks(whole('files', { users: 'json' }), ['wrong-type /files/users']),
        checks(whole('files', { users: {} }), ['missing-key /files/users/read']),
        checks(whole('files', [json]), ['wrong-type /files']),
        checks(whole('files', undefined), ['missing-key /files']),
      ],
    },
    {
      id: 'files.default.1',
      rule: 'A user sync names every file: none stands for all others, and there is at least one',
      cases: [
        checks(whole('files', { DEFAULT: json }), ['default-file /files/DEFAULT']),
        checks(whole('files', { users: json, DEFAULT: json }), ['default-file /files/DEFAULT']),
        checks(whole('files', {}), ['no-files /files']),
      ],
    },
    {
      id: 'files.record-processor.1',
      rule: 'A record processor is one that a plugin provides',
      cases: [checks([], ['unknown-record-processor /recordProcessor'], { recordProcessor: 'join' })],
    },
    {
      id: 'files.instructions.1',
      rule: 'Instructions are a list and run in its order for each record',
      cases: [
        maps([put('a'), put('b')], {}, { profile: { 'std:attribute:job-title': ['b'] } }),
        maps([put('b'), put('a')], {}, { profile: { 'std:attribute:job-title': ['a'] } }),
        checks(whole('instructions', {}), ['wrong-type /instructions']),
        checks(whole('instructions', undefined), ['missing-key /instructions']),
      ],
    },
    {
      id: 'files.mapping.1',
      rule: 'Tables of references are optional, and each has a name',
      cases: [
        checks([], []),
        checks([], ['wrong-type /mapping'], { mapping: [] }),
        checks([], ['wrong-type /mapping/m'], { mapping: { m: 'x' } }),
      ],
    },
    {
      id: 'files.unknown-keys.1',
      rule: 'Keys that mean nothing are warnings wherever they stand',
      cases: [
        checks([], ['unknown-key /colour'], { colour: 1 }),
        checks(whole('files', { users: { ...json, colour: 1 } }), ['unknown-key /files/users/colour']),
        checks([field('a', undefined, { colour: 1 })], ['unknown-key /instructions/4/colour']),
        checks(
          [{ action: 'if-exists', source: 'a', then: [field('a', undefined, { colour: 1 })] }],
          ['unknown-key /instructions/4/then/0/colour'],
        ),
        checks([field('a', 'std:attribute:works-for', { refMapping: 'm' })], ['unknown-key /mapping/m/colour'], {
          mapping: { m: { using: 'behaviour', values: {}, colour: 1 } },
        }),
      ],
    },
    {
      id: 'files.problems.1',
      rule: 'All problems are reported at once, each where it stands',
      cases: [
        checks(
          [
            { action: 'fly' },
            { action: 'if-exists', source: 'a', then: [field('a', 'x', { filters: ['none', 'haplo:to-string', 7] })] },
          ],
          [
            'wrong-model /model',
            'unknown-action /instructions/4/action',
            'unknown-name /instructions/5/then/0/name',
            'unknown-filter /instructions/5/then/0/filters/0',
            'wrong-type /instructions/5/then/0/filters/2',
          ],
          { model: 'other' },
        ),
        checks('{"a":', ['not-json ']),
        checks('[]', ['wrong-type ']),
      ],
    },
    {
      id: 'files.order.1',
      rule: 'The files of a batch are read one after the other as they are listed, and every record is a user',
      cases: [
        runs(
          'of one who is in both files, the record in the file listed first counts',
          [field('job')],
          [
            {
              batch: {
                b: [
                  { u: 'ada', job: 'second' },
                  { u: 'cyd', job: 'second' },
                ],
                a: [
                  { u: 'ada', job: 'first' },
                  { u: 'bob', job: 'first' },
                ],
              },
              counts: { added: 3, rejected: 1 },
              errors: ['duplicate-username ada'],
              users: {
                ada: { 'std:attribute:job-title': ['first'] },
                bob: { 'std:attribute:job-title': ['first'] },
                cyd: { 'std:attribute:job-title': ['second'] },
              },
            },
          ],
          { files: { a: json, b: json } },
        ),
      ],
    },
  ],
};
