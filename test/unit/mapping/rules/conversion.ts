import type { JsonValue } from '../../../../src/domain/record.js';
import {
  field,
  JOB,
  maps,
  put,
  runs,
  URL_NAME,
  WORKS_FOR,
  type Chapter,
  type Expected,
  type MappingCase,
} from './rule.js';

const SCIENCE = { ref: 'behaviour:example:org:science' };
const lower = 'haplo:to-lower-case';
const upper = 'haplo:to-upper-case';
const TEXT = 'test:attribute:text';

/** What becomes of an input with these keys: a value or nothing, and errors. */
function becomes(name: string, keys: object, input: JsonValue, value?: JsonValue, ...errors: string[]): MappingCase {
  const expected: Expected = { profile: value === undefined ? {} : { [name]: [value] }, errors };
  return maps([field('a', name, keys)], { a: input }, expected);
}

const table = { x: 'y', y: 'z', '1': 'one', true: 'yes', off: false, gone: null };
const filtered = (
  name: string,
  filter: string | string[],
  input: JsonValue,
  value?: JsonValue,
  ...errors: string[]
): MappingCase => becomes(name, { filters: [filter].flat() }, input, value, ...errors);

export const CONVERSION: Chapter = {
  name: 'conversion',
  rules: [
    {
      id: 'conversion.order.1',
      rule: 'Input values are mapped first, then filtered, then take the data type',
      cases: [
        becomes(TEXT, { mapInputValue: { a: 'b', A: 'c' }, filters: [upper] }, 'a', 'B'),
        becomes('test:attribute:integer', { mapInputValue: { seven: 7 }, filters: ['haplo:to-string'] }, 'seven', 7),
        becomes('test:attribute:boolean', { mapInputValue: { on: 'TRUE' }, filters: [lower] }, 'on', true),
        becomes(URL_NAME, { mapInputValue: { a: 'a.org' }, filters: ['haplo:fix-up-url'] }, 'a', 'https://a.org'),
      ],
    },
    {
      id: 'conversion.order.2',
      rule: 'Filters run in the order in which they are written',
      cases: [
        filtered(TEXT, [lower, upper], 'aB', 'AB'),
        filtered(TEXT, [upper, lower], 'aB', 'ab'),
        filtered(URL_NAME, ['haplo:fix-up-url', upper], 'a.org', 'HTTPS://A.ORG'),
        filtered(URL_NAME, [upper, 'haplo:fix-up-url'], 'a.org', 'https://A.ORG'),
      ],
    },
    {
      id: 'conversion.map-input.1',
      rule: 'A value that is listed is replaced, once',
      cases: [
        becomes(TEXT, { mapInputValue: table }, 'x', 'y'),
        becomes(TEXT, { mapInputValue: table }, 1, 'one'),
        becomes(TEXT, { mapInputValue: table }, true, 'yes'),
        becomes('test:attribute:boolean', { mapInputValue: table }, 'off', false),
        becomes(TEXT, { mapInputValue: table }, 'gone'),
        maps([put('x', JOB, { mapInputValue: table })], {}, { profile: { [JOB]: ['y'] } }),
      ],
    },
    {
      id: 'conversion.map-input.2',
      rule: 'A value that is not listed takes the default where there is one, and else passes',
      cases: [
        becomes(TEXT, { mapInputValue: table }, 'w', 'w'),
        becomes(TEXT, { mapInputValue: table, mapInputValueDefault: 'd' }, 'w', 'd'),
        becomes(TEXT, { mapInputValue: table, mapInputValueDefault: 'd' }, 'x', 'y'),
        becomes(TEXT, { mapInputValue: table, mapInputValueDefault: null }, 'w'),
        becomes(TEXT, { mapInputValue: table, mapInputValueDefault: 0 }, 'w', '0'),
        becomes(TEXT, { mapInputValue: table }, 'constructor', 'constructor'),
        becomes(TEXT, { mapInputValue: table, mapInputValueDefault: 'd' }, ['x'], 'd'),
      ],
    },
    {
      id: 'conversion.case.1',
      rule: 'Texts get lower or upper case, other values pass',
      cases: [
        filtered(TEXT, lower, 'ÀB', 'àb'),
        filtered(TEXT, upper, 'àb', 'ÀB'),
        filtered('test:attribute:integer', lower, 7, 7),
        filtered('test:attribute:boolean', upper, true, true),
        filtered('test:attribute:json', upper, ['a'], ['a']),
      ],
    },
    {
      id: 'conversion.to-string.1',
      rule: 'Numbers and booleans become text; lists and objects give nothing',
      cases: [
        filtered('std:attribute:telephone', 'haplo:to-string', 447700900123, '+44 7700 900123'),
        filtered('test:attribute:boolean', 'haplo:to-string', true, true),
        filtered(TEXT, 'haplo:to-string', 'x', 'x'),
        filtered('test:attribute:json', 'haplo:to-string', ['a']),
      ],
    },
    {
      id: 'conversion.fix-up-url.1',
      rule: 'What looks like a bare address gets a scheme',
      cases: [
        filtered(URL_NAME, 'haplo:fix-up-url', 'www.example.org', 'https://www.example.org'),
        filtered(URL_NAME, 'haplo:fix-up-url', 'example.org/a-b+c', 'https://example.org/a-b+c'),
        filtered(URL_NAME, 'haplo:fix-up-url', 'x', 'https://x'),
      ],
    },
    {
      id: 'conversion.fix-up-url.2',
      rule: 'Other texts pass as they are, and what is no text gives nothing',
      cases: [
        filtered(URL_NAME, 'haplo:fix-up-url', 'http://example.org', 'http://example.org'),
        filtered(URL_NAME, 'haplo:fix-up-url', 'mailto:a@b', 'mailto:a@b'),
        filtered(TEXT, 'haplo:fix-up-url', 'example2.org', 'example2.org'),
        filtered(TEXT, 'haplo:fix-up-url', '/a', '/a'),
        filtered(TEXT, 'haplo:fix-up-url', '.a', '.a'),
        filtered(TEXT, 'haplo:fix-up-url', 'a b', 'a b'),
        filtered(TEXT, 'haplo:fix-up-url', 7),
        filtered(TEXT, 'haplo:fix-up-url', true),
        filtered('test:attribute:json', 'haplo:fix-up-url', ['a']),
      ],
    },
    {
      id: 'conversion.string-to-ref.1',
      rule: 'The text of a reference becomes a reference',
      cases: [
        filtered(WORKS_FOR, 'haplo:string-to-ref', SCIENCE.ref, SCIENCE),
        filtered(WORKS_FOR, 'haplo:string-to-ref', 7),
        runs(
          'only references to objects that there are are set',
          [field('r', WORKS_FOR, { filters: ['haplo:string-to-ref'] })],
          [
            {
              sql: `insert into directory.object (ref, types, attributes) values (777, '{std:type:organisation}', '{}')`,
              batch: [
                { u: 'ada', r: '777' },
                { u: 'bob', r: '778' },
                { u: 'cyd', r: 'no ref' },
                { u: 'dan', r: '0777' },
              ],
              users: {
                ada: { [WORKS_FOR]: [{ ref: '777' }] },
                bob: { [WORKS_FOR]: [] },
                cyd: { [WORKS_FOR]: [] },
                dan: { [WORKS_FOR]: [] },
              },
            },
          ],
        ),
      ],
    },
    {
      id: 'conversion.code-to-ref.1',
      rule: 'A behaviour code becomes a reference to its object',
      cases: [
        filtered(WORKS_FOR, 'haplo:code-to-ref', 'example:org:science', SCIENCE),
        filtered(WORKS_FOR, 'haplo:code-to-ref', 'example:org:nothing'),
        filtered(WORKS_FOR, 'haplo:code-to-ref', 7),
      ],
    },
    {
      id: 'conversion.nothing.1',
      rule: 'A filter that gives nothing sets nothing, and is no error',
      cases: [
        filtered('test:attribute:integer', 'haplo:to-string', { a: 1 }),
        filtered(URL_NAME, ['haplo:fix-up-url', upper], 7),
        maps(
          [field('a', JOB, { filters: ['haplo:to-string'] })],
          { a: ['x'] },
          { profile: { [JOB]: ['old'] } },
          {
            existing: { profile: { [JOB]: [{ value: 'old' }] } },
          },
        ),
      ],
    },
    {
      id: 'conversion.errors.1',
      rule: 'A value in error is logged and not set, and the record goes on',
      cases: [
        maps(
          [field('a', URL_NAME), field('b')],
          { a: 'no url', b: 'x' },
          {
            profile: { [URL_NAME]: ['old:url'], [JOB]: ['x'] },
            errors: ['invalid-url'],
          },
          { existing: { profile: { [URL_NAME]: [{ value: 'old:url' }] } } },
        ),
      ],
    },
    {
      id: 'conversion.errors.2',
      rule: 'A record with a value in error is tried again, even when it has not changed',
      cases: [
        runs(
          'and the error stands in the log of each run',
          [field('a', URL_NAME)],
          [
            { batch: [{ u: 'ada', a: 'no url' }], counts: { added: 1 }, errors: ['invalid-url ada'] },
            {
              batch: [{ u: 'ada', a: 'no url' }, { u: 'bob' }],
              counts: { added: 1, unchanged: 1 },
              errors: ['invalid-url ada'],
            },
          ],
        ),
        runs(
          'unlike one whose record is right, which keeps what was changed by hand',
          [field('a', URL_NAME), field('j')],
          [
            {
              batch: [
                { u: 'ada', a: 'no url', j: 'Dean' },
                { u: 'bob', j: 'Dean' },
              ],
            },
            {
              sql: `update directory.object set attributes = attributes || '{"${JOB}": [{"value": "by hand"}]}' where attributes ? '${JOB}'`,
              batch: [{ u: 'ada', a: 'no url', j: 'Dean' }, { u: 'bob', j: 'Dean' }, { u: 'cyd' }],
              counts: { added: 1, updated: 1, unchanged: 1 },
              users: { ada: { [JOB]: ['Dean'] }, bob: { [JOB]: ['by hand'] } },
            },
          ],
        ),
      ],
    },
    {
      id: 'conversion.errors.3',
      rule: 'A record is rejected for a value in error only when a required name ends up empty',
      cases: [
        maps([], { email: '@b' }, { rejected: ['invalid-email', 'missing-value'] }),
        maps(
          [{ source: 'm', destination: 'user', name: 'email' }],
          { m: 'none' },
          {
            user: { email: 'joe@example.org' },
            errors: ['invalid-email'],
          },
        ),
        maps(
          [
            { source: 'n', destination: 'test:locker', name: 'number' },
            { source: 'c', destination: 'test:locker', name: 'colour' },
          ],
          { n: 'x', c: 'red' },
          {
            rejected: ['invalid-integer', 'missing-value'],
          },
        ),
      ],
    },
  ],
};
