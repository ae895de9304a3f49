import { UserSyncError } from '../lib/errors.js';
import { type Charset, UTF_8, charsetNamed } from './charset.js';
import type { ReadLimits, Reader } from './reader.js';
import { type Opening, type Scanner, scanWith } from './scan.js';
import type { XmlValues } from './xml-record.js';

export { isKnownCharset } from './charset.js';

/** How a control file says that a file is to be read. */
export interface FileFormat {
  readonly read: string;
  readonly singleRecord?: boolean;
  readonly charset?: string;
  readonly separator?: string;
  readonly delimiter?: string;
  /** Options of formats that are not built in. */
  readonly [option: string]: boolean | string | undefined;
}

export interface ReaderOption {
  readonly name: string;
  /** `charset` is a string that `isKnownCharset`; a `string` must not be empty. */
  readonly type: 'boolean' | 'charset' | 'string';
  readonly required?: boolean;
  readonly default?: boolean | string;
  readonly description: string;
}

export interface ReaderFormat {
  /** The value of `read`. */
  readonly name: string;
  readonly description: string;
  readonly options: readonly ReaderOption[];
}

const SINGLE_RECORD: ReaderOption = {
  name: 'singleRecord',
  type: 'boolean',
  default: false,
  description: 'Whether the whole document is one record.',
};

const CHARSET: ReaderOption = {
  name: 'charset',
  type: 'charset',
  default: 'utf-8',
  description: 'The charset of the file, such as windows-1252. A byte-order mark in the file takes precedence.',
};

/** Loads what reads the format when a file of it is read: most feeds have files of one. */
type MakeScanner = (format: FileFormat, limits: ReadLimits, opening: Opening) => Promise<Scanner>;

interface Registration extends ReaderFormat {
  /** Whether any file of the format starts with an ASCII character. */
  readonly startsWithAscii: boolean;
  readonly makeScanner: MakeScanner;
}

const REGISTRATIONS: readonly Registration[] = [
  {
    name: 'json',
    description: 'A JSON array whose elements, objects, are the records.',
    options: [SINGLE_RECORD],
    startsWithAscii: true,
    makeScanner: async (format, limits, opening) => {
      const { JsonArrayScanner } = await import('./json-array.js');
      return new JsonArrayScanner(limits, format.singleRecord ?? false, opening);
    },
  },
  {
    name: 'jsonl',
    description: 'One JSON object a line.',
    options: [],
    startsWithAscii: true,
    makeScanner: async (_format, limits, opening) => {
      const { JsonLinesScanner } = await import('./jsonl.js');
      return new JsonLinesScanner(limits, opening);
    },
  },
  {
    name: 'xml-text-of-children',
    description: 'The child elements of the root are records; their child elements give names and, as text, values.',
    options: [SINGLE_RECORD],
    startsWithAscii: true,
    makeScanner: xmlScanner('text-of-children'),
  },
  {
    name: 'xml-attributes',
    description: 'The child elements of the root are records; their attributes give names and values.',
    options: [SINGLE_RECORD],
    startsWithAscii: true,
    makeScanner: xmlScanner('attributes'),
  },
  {
    name: 'tsv-with-name-row',
    description: 'Lines of separated fields without quoting; the first line gives the names.',
    options: [
      CHARSET,
      {
        name: 'separator',
        type: 'string',
        default: '\t',
        description: 'What separates the fields, one character or several. A tab unless given.',
      },
    ],
    startsWithAscii: false,
    makeScanner: async (format, limits, opening) => {
      const { TsvScanner } = await import('./tsv.js');
      return new TsvScanner(limits, format.separator ?? '\t', opening);
    },
  },
  {
    name: 'csv',
    description: 'Comma-separated values as of RFC 4180, quoted where needed; the first record gives the names.',
    options: [
      CHARSET,
      {
        name: 'delimiter',
        type: 'string',
        default: ',',
        description: 'What separates the fields. A comma unless given.',
      },
    ],
    startsWithAscii: false,
    makeScanner: async (format, limits, opening) => {
      const { CsvScanner } = await import('./csv.js');
      return new CsvScanner(limits, format.delimiter ?? ',', opening);
    },
  },
];

/** All formats with their options: for checking control files, and for the documentation. */
export const READER_FORMATS: readonly ReaderFormat[] = REGISTRATIONS.map(({ name, description, options }) => ({
  name,
  description,
  options,
}));

/** @throws UserSyncError for a format, charset or separator that checking the control file would have refused */
export function createReader(format: FileFormat, limits: ReadLimits): Reader {
  const registration = REGISTRATIONS.find(({ name }) => name === format.read);
  if (registration === undefined) {
    const known = REGISTRATIONS.map(({ name }) => name).join(', ');
    throw new UserSyncError('unknown-reader', `There is no format '${format.read}'; the formats are ${known}.`);
  }
  if (format.separator === '' || format.delimiter === '' || /["\r\n]/.test(format.delimiter ?? '')) {
    throw new UserSyncError(
      'bad-separator',
      'A separator must not be empty, and a delimiter have no quote or line end.',
    );
  }
  return scanWith((opening) => registration.makeScanner(format, limits, opening), {
    limits,
    charset: format.charset === undefined ? UTF_8 : requireCharset(format.charset),
    startsWithAscii: registration.startsWithAscii,
  });
}

function xmlScanner(values: XmlValues): MakeScanner {
  return async (format, limits, opening) => {
    const { XmlScanner } = await import('./xml.js');
    return new XmlScanner(limits, values, format.singleRecord ?? false, opening);
  };
}

function requireCharset(name: string): Charset {
  const charset = charsetNamed(name);
  if (charset === undefined) {
    throw new UserSyncError(
      'unknown-charset',
      `There is no charset '${name}'; write for example utf-8 or windows-1252.`,
    );
  }
  return charset;
}
