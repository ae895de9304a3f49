import type { JsonValue } from '../domain/record.js';
import type { Model } from '../model/model.js';
import type { AttributeValue } from './mapped.js';
import { personIn, type PersonKey } from './references.js';

/** Where in a patch a person is referred to: the path of the entry whose value is the reference. */
export type PersonPlace = { readonly [K in PersonKey]?: string } & { readonly at: readonly string[] };

/**
 * Finds references to people among values. Only attributes of data type `ref` are looked at, alone or in a group: a value
 * of type `json` may look like a reference and is none.
 */
export class PeopleFinder {
  private readonly refs: ReadonlySet<string>;
  /** Attribute group → the attributes of data type `ref` in it. */
  private readonly groups: ReadonlyMap<string, readonly string[]>;

  constructor(model: Model) {
    const isRef = (code: string): boolean => model.attributeByCode.get(code)?.dataType === 'ref';
    this.refs = new Set(model.attributes.filter(({ code }) => isRef(code)).map(({ code }) => code));
    const groups = model.attributes.filter(({ dataType }) => dataType === 'attribute-group');
    this.groups = new Map(groups.map(({ code, attributes }) => [code, (attributes ?? []).filter(isRef)]));
  }

  /** Whether values of the attribute can be references at all: spares the hot loop the paths of all others. */
  concerns(attribute: string): boolean {
    return this.refs.has(attribute) || (this.groups.get(attribute)?.length ?? 0) > 0;
  }

  /** @param at the path of the list of values @param found takes what is found, in the order of the paths */
  find(attribute: string, values: readonly AttributeValue[], at: readonly string[], found: PersonPlace[]): void {
    if (this.refs.has(attribute)) {
      values.forEach(({ value }, index) => {
        const person = personIn(value);
        if (person !== undefined) found.push({ [person.key]: person.value, at: [...at, String(index)] });
      });
      return;
    }
    const members = this.groups.get(attribute);
    if (members === undefined || members.length === 0) return;
    values.forEach(({ value }, index) => {
      for (const member of members) {
        const own = entriesIn(value, member);
        this.find(member, own, [...at, String(index), 'value', member], found);
      }
    });
  }
}

/** The values of one attribute in a group, as `set-attribute-group` stores them. */
function entriesIn(group: JsonValue, member: string): readonly AttributeValue[] {
  if (typeof group !== 'object' || group === null || Array.isArray(group)) return [];
  const entries = (group as Readonly<Record<string, JsonValue>>)[member];
  return Array.isArray(entries) ? (entries as readonly AttributeValue[]) : [];
}
