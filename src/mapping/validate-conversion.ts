import type { JsonValue } from '../domain/record.js';
import { pointerTo } from '../model/json-source.js';
import type { DestinationName } from '../model/destinations.js';
import type { Model } from '../model/model.js';
import type { DataType } from '../model/schema.js';
import { compileDateFormat } from './dates.js';
import type { Conversion } from './instruction.js';
import { isTelephoneCountry } from './telephone.js';
import { isObject, kindOf, type Members, type ValidationContext } from './validation.js';

/** Keys that only mean something for some data types. */
const KEYS_OF_TYPES: readonly (readonly [string, readonly DataType[]])[] = [
  ['dateFormat', ['datetime']],
  ['country', ['telephone-number']],
  ['trueValue', ['boolean']],
  ['falseValue', ['boolean']],
  ['refMapping', ['ref']],
];

/** The conversion keys of one instruction; `name` is unknown when it is wrong itself. */
export function parseConversion(
  members: Members,
  name: DestinationName | undefined,
  context: ValidationContext,
): Conversion {
  if (name !== undefined) warnOfUselessKeys(members, name.dataType);
  const mapInputValue = parseTable(members);
  const hasDefault = members.has('mapInputValueDefault');
  if (hasDefault && !members.has('mapInputValue')) {
    const message = '`mapInputValueDefault` without `mapInputValue` has no effect';
    members.problem('unused-key', members.at('mapInputValueDefault'), message);
  }
  const dateFormat = parseDateFormat(members, name);
  const country = parseCountry(members);
  const trueValue = members.string('trueValue');
  const falseValue = members.string('falseValue');
  if ((trueValue ?? 'true') === (falseValue ?? 'false')) {
    members.problem('same-true-and-false', members.pointer, '`trueValue` and `falseValue` are the same');
  }
  const refMapping = parseRefMapping(members, context);
  return {
    filters: parseFilters(members, context),
    ...(mapInputValue === undefined ? {} : { mapInputValue }),
    ...(hasDefault ? { mapInputValueDefault: { value: members.value('mapInputValueDefault') ?? null } } : {}),
    ...(dateFormat === undefined ? {} : { dateFormat }),
    ...(country === undefined ? {} : { country }),
    ...(trueValue === undefined ? {} : { trueValue }),
    ...(falseValue === undefined ? {} : { falseValue }),
    ...(refMapping === undefined ? {} : { refMapping }),
  };
}

function warnOfUselessKeys(members: Members, dataType: DataType): void {
  for (const [key, types] of KEYS_OF_TYPES) {
    if (members.has(key) && !types.includes(dataType)) {
      members.problem(
        'unused-key',
        members.at(key),
        `\`${key}\` has no effect on a value of data type \`${dataType}\``,
      );
    }
  }
}

function parseTable(members: Members): ReadonlyMap<string, JsonValue> | undefined {
  const table = members.record('mapInputValue');
  return table === undefined ? undefined : new Map(Object.entries(table));
}

function parseFilters(members: Members, context: ValidationContext): readonly string[] {
  const filters: string[] = [];
  members.list('filters')?.forEach((filter, index) => {
    const pointer = pointerTo(members.at('filters'), index);
    if (typeof filter !== 'string') {
      members.problem('wrong-type', pointer, `a filter is named by a string, not ${kindOf(filter)}`);
      return;
    }
    if (!members.knownAt(pointer, 'unknown-filter', filter, context.filters, 'filter')) return;
    filters.push(filter);
  });
  return filters;
}

function parseDateFormat(members: Members, name: DestinationName | undefined): string | undefined {
  const format = members.string('dateFormat');
  if (format === undefined) {
    if (name?.dataType === 'datetime' && !members.has('dateFormat')) {
      const message = `\`${name.name}\` is a date: say how the input writes it, such as "dateFormat": "yyyy-MM-dd"`;
      members.problem('missing-date-format', members.pointer, message);
    }
    return undefined;
  }
  const compiled = compileDateFormat(format);
  if (!compiled.ok) {
    members.problem('invalid-date-format', members.at('dateFormat'), compiled.problem);
    return undefined;
  }
  if (compiled.doubt !== undefined) members.problem('doubtful-date-format', members.at('dateFormat'), compiled.doubt);
  return format;
}

function parseCountry(members: Members): string | undefined {
  const country = members.string('country');
  if (country === undefined || isTelephoneCountry(country)) return country;
  const message = `\`${country.slice(0, 20)}\` is not the two-letter code of a country with telephones, such as \`GB\``;
  members.problem('unknown-country', members.at('country'), message);
  return undefined;
}

function parseRefMapping(members: Members, context: ValidationContext): string | undefined {
  const name = members.string('refMapping');
  if (name === undefined) return undefined;
  if (!members.known('unknown-mapping', 'refMapping', name, context.mappingNames, 'mapping')) return undefined;
  context.usedMappings.add(name);
  return name;
}

/** Constants among the codes of groups: a slip there would reject every record that takes them. */
export function warnOfWrongGroups(members: Members, model: Model): void {
  const check = (value: JsonValue | undefined, pointer: string): void => {
    if (typeof value !== 'string' || value === '' || model.groupByCode.get(value)?.managed === true) return;
    const managed = model.groups.filter((group) => group.managed).map((group) => group.code);
    members.knownAt(pointer, 'unknown-group', value, managed, 'managed group');
  };
  if (members.has('filters')) return;
  if (!members.has('mapInputValue')) check(members.value('value'), members.at('value'));
  check(members.value('mapInputValueDefault'), members.at('mapInputValueDefault'));
  const table = members.value('mapInputValue');
  if (!isObject(table)) return;
  for (const [input, code] of Object.entries(table)) check(code, pointerTo(members.at('mapInputValue'), input));
}
