import type { JsonValue } from '../domain/record.js';
import type { DestinationName } from '../model/destinations.js';
import type { Model } from '../model/model.js';
import { compileDateFormat } from './dates.js';
import type { Conversion } from './instruction.js';
import type { RecordState } from './record-state.js';
import { isReference, type Value } from './references.js';
import type { RefTable } from './ref-mapping.js';
import { isExactNumber, isStorableText, whyUnstorable } from './storable.js';
import { DEFAULT_COUNTRY, telephoneFormatter } from './telephone.js';

/**
 * Makes a value of the name's data type, as it is stored; undefined sets nothing. What is wrong is noted in the state
 * with the source field.
 */
export type Converter = (value: Value, state: RecordState) => JsonValue | undefined;

/** The last step of a conversion: what the data type of the name accepts. */
export function dataTypeConverter(
  name: DestinationName,
  conversion: Conversion,
  source: string | undefined,
  model: Model,
  refTables: ReadonlyMap<string, RefTable>,
): Converter {
  switch (name.dataType) {
    case 'text':
    case 'text-paragraph':
    case 'text-multiline':
    case 'configuration-name':
    case 'isbn':
      return (value, state) => toText(value, state, source);
    case 'integer':
      return integer(source);
    case 'number':
      return decimal(source);
    case 'boolean':
      return boolean(source, conversion);
    case 'datetime':
      return datetime(source, conversion);
    case 'email-address':
      return checkedText(source, (text) => text.indexOf('@') > 0, 'invalid-email', 'an e-mail address with an `@`');
    case 'url':
      return checkedText(
        source,
        (text) => URL_SCHEME.test(text),
        'invalid-url',
        'a URL that starts with its scheme, such as `https:`',
      );
    case 'telephone-number':
      return telephone(source, conversion);
    case 'object-type':
      return (value) => (typeof value === 'string' && model.typeByCode.has(value) ? value : undefined);
    case 'ref': {
      const table = conversion.refMapping === undefined ? undefined : refTables.get(conversion.refMapping);
      if (table !== undefined) return (value, state) => table(value, state, source);
      return (value) => (isReference(value) ? value.toValue() : undefined);
    }
    case 'json':
      return (value, state) => toJson(value, state, source);
    // Only instructions of their own set these.
    case 'person-name':
    case 'postal-address':
    case 'attribute-group':
      return () => undefined;
  }
}

const URL_SCHEME = /^[a-z+.-]+:/i;

/** Empty text is no value: it sets nothing. */
export function toText(value: Value, state: RecordState, source: string | undefined): string | undefined {
  if (typeof value === 'string') {
    if (isStorableText(value)) return value === '' ? undefined : value;
    rejectUnstorable(state, source, value);
    return undefined;
  }
  if (typeof value === 'boolean') return String(value);
  if (typeof value !== 'number') return undefined;
  if (isExactNumber(value)) return String(value);
  const message = 'The number is too large to be read exactly: have the source send it as text.';
  state.error('invalid-number', message, source, value);
  return undefined;
}

function rejectUnstorable(state: RecordState, source: string | undefined, value: JsonValue): void {
  const message =
    'The value holds a null character or half a character, which cannot be stored: mend it in the source.';
  state.reject('null-character', message, source, value);
}

function checkedText(
  source: string | undefined,
  isRight: (text: string) => boolean,
  code: 'invalid-email' | 'invalid-url',
  wanted: string,
): Converter {
  return (value, state) => {
    if (typeof value === 'string' && isRight(value)) return toText(value, state, source);
    state.error(code, `The value is not ${wanted}.`, source, inputOf(value));
    return undefined;
  };
}

function integer(source: string | undefined): Converter {
  return (value, state) => {
    const number = typeof value === 'string' ? Number(value) : value;
    const isText = typeof value === 'string';
    if (typeof number === 'number' && Number.isSafeInteger(number) && (!isText || String(number) === value)) {
      return number === 0 ? 0 : number;
    }
    state.error('invalid-integer', 'The value is not a whole number in plain digits.', source, inputOf(value));
    return undefined;
  };
}

const DECIMAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

/** Doubles keep this many significant digits of any decimal text. */
const EXACT_DIGITS = 15;

function decimal(source: string | undefined): Converter {
  return (value, state) => {
    const number = typeof value === 'string' ? decimalOf(value) : value;
    if (typeof number === 'number' && isExactNumber(number)) return number === 0 ? 0 : number;
    state.error('invalid-number', 'The value is not a number that can be kept exactly.', source, inputOf(value));
    return undefined;
  };
}

function decimalOf(text: string): number | undefined {
  if (!DECIMAL.test(text)) return undefined;
  const number = Number(text);
  const digits = text.replace(/[-.]/g, '').replace(/^0+/, '');
  const significant = text.includes('.') ? digits.replace(/0+$/, '') : digits;
  return significant.length <= EXACT_DIGITS || String(number) === text ? number : undefined;
}

function boolean(source: string | undefined, conversion: Conversion): Converter {
  const yes = conversion.trueValue ?? 'true';
  const no = conversion.falseValue ?? 'false';
  return (value, state) => {
    if (value === true || value === yes) return true;
    if (value === false || value === no) return false;
    const message = `The value is neither ${JSON.stringify(yes)} nor ${JSON.stringify(no)}.`;
    state.error('invalid-boolean', message, source, inputOf(value));
    return undefined;
  };
}

function datetime(source: string | undefined, conversion: Conversion): Converter {
  const format = conversion.dateFormat ?? '';
  const compiled = compileDateFormat(format);
  const parse = compiled.ok ? compiled.parse : (): undefined => undefined;
  return (value, state) => {
    const date = typeof value === 'string' ? parse(value) : undefined;
    if (date === undefined)
      state.error('invalid-date', `The value is not a date written as ${format}.`, source, inputOf(value));
    return date;
  };
}

function telephone(source: string | undefined, conversion: Conversion): Converter {
  const format = telephoneFormatter(conversion.country ?? DEFAULT_COUNTRY);
  return (value, state) => {
    const formatted = typeof value === 'string' ? format(value) : undefined;
    if (formatted !== undefined) return toText(formatted, state, source);
    const message = 'The value is not a telephone number; numbers must be text, see the filter `haplo:to-string`.';
    state.error('invalid-telephone-number', message, source, inputOf(value));
    return undefined;
  };
}

function toJson(value: Value, state: RecordState, source: string | undefined): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || isReference(value)) return undefined;
  const why = whyUnstorable(value);
  if (why === undefined) return value;
  if (why === 'null-character') {
    rejectUnstorable(state, source, value);
  } else {
    const message =
      why === 'too-deep' ? 'The value is nested too deep.' : 'The value holds a number that cannot be kept exactly.';
    state.error(why, message, source, value);
  }
  return undefined;
}

function inputOf(value: Value): JsonValue {
  return isReference(value) ? value.toValue() : value;
}
