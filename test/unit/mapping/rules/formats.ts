import { gzipSync } from 'node:zlib';
import { controlText, USER_INSTRUCTIONS } from '../mapping-case.js';
import { checks, reads, type Chapter } from './rule.js';

const TSV = 'tsv-with-name-row';
const TEXTS = 'xml-text-of-children';
const ATTRIBUTES = 'xml-attributes';
const JOE = { id: 'joe', job: 'Dean' };

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const bom = (text: string): Buffer => Buffer.from(`\ufeff${text}`);
const file = (entry: object): string => controlText(USER_INSTRUCTIONS, { files: { users: entry } });

export const FORMATS: Chapter = {
  name: 'formats',
  rules: [
    {
      id: 'formats.json.1',
      rule: 'Each object in the array at the top of a JSON file is a record; other elements are none',
      cases: [
        reads('json', '[{"id":"joe","job":"Dean"},{"id":"ann","n":[1]}]', [JOE, { id: 'ann', n: [1] }]),
        reads('json', '[1,{"id":"joe"},null,[]]', ['not-an-object', { id: 'joe' }, 'not-an-object', 'not-an-object']),
        reads('json', '[]', []),
        reads('json', '[{"id":"Zoë"}]', [{ id: 'Zoë' }]),
      ],
    },
    {
      id: 'formats.xml-text.1',
      rule: 'Each child of the root is a record, whose children give their local names and texts',
      cases: [
        reads(TEXTS, '<p><a><id>joe</id><x:job xmlns:x="u">Dean</x:job></a><b><id>ann</id></b></p>', [
          JOE,
          { id: 'ann' },
        ]),
        reads(TEXTS, '<p><a><id> joe </id><job><![CDATA[<b>]]></job></a></p>', [{ id: ' joe ', job: '<b>' }]),
        reads(TEXTS, '<p><a/><a></a></p>', [{}, {}]),
        reads(TEXTS, '<p/>', []),
      ],
    },
    {
      id: 'formats.xml-attributes.1',
      rule: 'Each child of the root is a record, whose attributes give the values',
      cases: [
        reads(ATTRIBUTES, '<p><a id="joe" job="Dean"/><b id="ann"><c id="no"/></b></p>', [JOE, { id: 'ann' }]),
        reads(ATTRIBUTES, '<p><a/></p>', [{}]),
      ],
    },
    {
      id: 'formats.tsv.1',
      rule: 'The first line names the values, a tab separates them unless another separator is told',
      cases: [
        reads(TSV, 'id\tjob\njoe\tDean\n', [JOE]),
        reads({ read: TSV, separator: ';' }, 'id;job\njoe;Dean\n', [JOE]),
        reads({ read: TSV, separator: ', ' }, 'id, job\njoe, Dean\n', [JOE]),
        reads({ read: TSV, separator: ', ' }, 'id, job\njoe, a,b\n', [{ id: 'joe', job: 'a,b' }]),
        checks(file({ read: TSV, separator: '' }), ['invalid-option /files/users/separator']),
      ],
    },
    {
      id: 'formats.tsv.2',
      rule: 'Quotes are data; empty and missing fields are absent',
      cases: [
        reads(TSV, 'id\tjob\n"joe"\t"D\n', [{ id: '"joe"', job: '"D' }]),
        reads(TSV, 'id\tjob\tx\njoe\t\ty\nann\n', [{ id: 'joe', x: 'y' }, { id: 'ann' }]),
      ],
    },
    {
      id: 'formats.tsv.3',
      rule: 'Blank lines are skipped, and a line ends with a line feed, a carriage return or both',
      cases: [
        reads(TSV, 'id\r\n\r\njoe\rann\n\n\nbob', [{ id: 'joe' }, { id: 'ann' }, { id: 'bob' }]),
        reads(TSV, '\n\nid\njoe\n\n', [{ id: 'joe' }]),
      ],
    },
    {
      id: 'formats.csv.1',
      rule: 'CSV has a header and quotes as of RFC 4180, and any delimiter',
      cases: [
        reads('csv', 'id,job\r\njoe,"a ""b"", c\nd"\r\n', [{ id: 'joe', job: 'a "b", c\nd' }]),
        reads({ read: 'csv', delimiter: ';' }, 'id;job\njoe;Dean', [JOE]),
        reads({ read: 'csv', charset: 'latin1' }, latin1('id\nZo\u00eb'), [{ id: 'Zoë' }]),
        checks(file({ read: 'csv', delimiter: '"' }), ['invalid-option /files/users/delimiter']),
      ],
    },
    {
      id: 'formats.jsonl.1',
      rule: 'Lines of JSON have an object each',
      cases: [reads('jsonl', '{"id":"joe"}\n\n{"id":"ann"}', [{ id: 'joe' }, { id: 'ann' }])],
    },
    {
      id: 'formats.single-record.1',
      rule: 'The whole document can be one record',
      cases: [
        reads({ read: 'json', singleRecord: true }, '{"id":"joe","job":"Dean"}', [JOE]),
        reads({ read: TEXTS, singleRecord: true }, '<p><id>joe</id><job>Dean</job></p>', [JOE]),
        reads({ read: ATTRIBUTES, singleRecord: true }, '<p id="joe" job="Dean"><a id="x"/></p>', [JOE]),
        checks(file({ read: 'json', singleRecord: 'yes' }), ['wrong-type /files/users/singleRecord']),
        checks(file({ read: TSV, singleRecord: true }), ['unknown-key /files/users/singleRecord']),
      ],
    },
    {
      id: 'formats.xml-charset.1',
      rule: 'XML says its charset itself and is UTF-8 when it does not',
      cases: [
        reads(TEXTS, latin1('<?xml version="1.0" encoding="iso-8859-1"?><p><a><id>Zo\u00eb</id></a></p>'), [
          { id: 'Zoë' },
        ]),
        reads(TEXTS, '<p><a><id>Zoë</id></a></p>', [{ id: 'Zoë' }]),
        checks(file({ read: TEXTS, charset: 'latin1' }), ['unknown-key /files/users/charset']),
      ],
    },
    {
      id: 'formats.bom.1',
      rule: 'A byte-order mark is honoured and dropped whatever the format',
      cases: [
        reads('json', bom('[{"id":"joe"}]'), [{ id: 'joe' }]),
        reads('jsonl', bom('{"id":"joe"}'), [{ id: 'joe' }]),
        reads({ read: 'csv', charset: 'latin1' }, bom('id\nZoë'), [{ id: 'Zoë' }]),
        reads({ read: TSV, charset: 'latin1' }, bom('id\nZoë'), [{ id: 'Zoë' }]),
        reads(TSV, Buffer.from('\ufeffid\nZoë', 'utf16le'), [{ id: 'Zoë' }]),
        reads(TEXTS, bom('<p><a><id>Zoë</id></a></p>'), [{ id: 'Zoë' }]),
        reads(ATTRIBUTES, bom('<p><a id="Zoë"/></p>'), [{ id: 'Zoë' }]),
      ],
    },
    {
      id: 'formats.charset.1',
      rule: 'Charsets have the names that people write, in any case',
      cases: [
        ...['windows-1252', 'Cp1252', 'CP1252', 'Windows-1252'].map((charset) =>
          reads({ read: TSV, charset }, latin1('id\n\x80\xeb'), [{ id: '€ë' }]),
        ),
        ...['iso-8859-1', 'ISO-8859-1', 'latin1', 'Latin1'].map((charset) =>
          reads({ read: TSV, charset }, latin1('id\nZo\u00eb'), [{ id: 'Zoë' }]),
        ),
        ...['utf-16', 'UTF-16'].map((charset) =>
          reads({ read: TSV, charset }, Buffer.from('id\nZoë', 'utf16le'), [{ id: 'Zoë' }]),
        ),
        reads({ read: TSV, charset: 'utf-8' }, 'id\nZoë', [{ id: 'Zoë' }]),
        reads(TSV, 'id\nZoë', [{ id: 'Zoë' }]),
        checks(file({ read: TSV, charset: 'Cp1252' }), []),
        checks(file({ read: TSV, charset: 'klingon' }), ['unknown-charset /files/users/charset']),
      ],
    },
    {
      id: 'formats.gzip.1',
      rule: 'Any file may be compressed, which its content tells',
      cases: [
        reads('json', gzipSync('[{"id":"joe"}]'), [{ id: 'joe' }]),
        reads('csv', gzipSync('id\njoe'), [{ id: 'joe' }]),
        reads(TEXTS, gzipSync('<p><a><id>joe</id></a></p>'), [{ id: 'joe' }]),
      ],
    },
    {
      id: 'formats.invalid-bytes.1',
      rule: 'Bytes that the charset does not have make an error of their record alone',
      cases: [
        reads(TSV, Buffer.concat([Buffer.from('id\njoe\nZo'), latin1('\xeb'), Buffer.from('\nann')]), [
          { id: 'joe' },
          'invalid-encoding at 9',
          { id: 'ann' },
        ]),
        reads('json', Buffer.concat([Buffer.from('[{"id":"'), latin1('\xeb'), Buffer.from('"},{"id":"ann"}]')]), [
          'invalid-encoding at 8',
          { id: 'ann' },
        ]),
        reads(TEXTS, Buffer.concat([Buffer.from('<p><a><id>'), latin1('\xeb'), Buffer.from('</id></a><a/></p>')]), [
          'invalid-encoding at 10',
          {},
        ]),
      ],
    },
    {
      id: 'formats.unknown.1',
      rule: 'A format is one of those that there are',
      cases: [checks(file({ read: 'xls' }), ['unknown-reader /files/users/read'])],
    },
  ],
};
