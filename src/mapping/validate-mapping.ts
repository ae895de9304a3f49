import { pointerTo } from '../model/json-source.js';
import { candidates, MAX_TITLE_CANDIDATES } from './references.js';
import type { RefMapping } from './instruction.js';
import { isObject, kindOf, Members, type ValidationContext } from './validation.js';

/** The `mapping` tables: named, from input values to objects. */
export function parseMappings(members: Members, context: ValidationContext): ReadonlyMap<string, RefMapping> {
  const tables = new Map<string, RefMapping>();
  for (const [name, table] of Object.entries(members.record('mapping') ?? {})) {
    const pointer = pointerTo('/mapping', name);
    if (!isObject(table)) {
      context.problems.add('wrong-type', pointer, `a mapping is an object, not ${kindOf(table)}`);
      continue;
    }
    const parsed = parseMapping(new Members(table, pointer, context), context);
    if (parsed !== undefined) tables.set(name, parsed);
  }
  return tables;
}

const KEYS = ['types', 'using', 'values'];

function parseMapping(members: Members, context: ValidationContext): RefMapping | undefined {
  const using = members.string('using');
  // A behaviour code is unique by itself; only titles need to know where to look.
  members.require(using === 'behaviour' ? ['using', 'values'] : KEYS);
  members.warnOfOthers(KEYS, 'a mapping');
  const types = parseTypes(members, context);
  const values = parseValues(members);
  if (using === undefined) return undefined;
  if (using !== 'behaviour' && using !== 'title') {
    members.problem('wrong-type', members.at('using'), '`using` must be "behaviour" or "title"');
    return undefined;
  }
  if (using === 'title' && candidates(context.model, types).length > MAX_TITLE_CANDIDATES) {
    const message = `more than ${MAX_TITLE_CANDIDATES} objects have these types: use a mapping by behaviour`;
    members.problem('too-many-candidates', members.at('types'), message);
  }
  if (using === 'behaviour') warnOfUnknownBehaviours(members, values, context);
  return { using, types, values };
}

function parseTypes(members: Members, context: ValidationContext): readonly string[] {
  return (members.list('types') ?? []).flatMap((type, index) => {
    const pointer = pointerTo(members.at('types'), index);
    if (typeof type !== 'string') {
      members.problem('wrong-type', pointer, `a type is named by a string, not ${kindOf(type)}`);
      return [];
    }
    return members.knownAt(pointer, 'unknown-type', type, context.model.typeByCode.keys(), 'type') ? [type] : [];
  });
}

function parseValues(members: Members): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [input, to] of Object.entries(members.record('values') ?? {})) {
    if (typeof to === 'string') {
      values.set(input, to);
    } else {
      const pointer = pointerTo(members.at('values'), input);
      members.problem('wrong-type', pointer, `must be a behaviour code or a title, not ${kindOf(to)}`);
    }
  }
  return values;
}

function warnOfUnknownBehaviours(
  members: Members,
  values: ReadonlyMap<string, string>,
  context: ValidationContext,
): void {
  for (const [input, behaviour] of values) {
    if (context.model.objectByBehaviour.has(behaviour)) continue;
    const pointer = pointerTo(members.at('values'), input);
    members.knownAt(pointer, 'unknown-behaviour', behaviour, context.model.objectByBehaviour.keys(), 'behaviour code');
  }
}
