import type { JsonValue } from '../domain/record.js';
import {
  PERSON_TYPE,
  STRUCTURED_FIELDS,
  type Destination,
  type DestinationName,
  type StructuredType,
} from '../model/destinations.js';
import type { Model } from '../model/model.js';

/** Stands wherever only the institution knows what is right. */
export const TODO = 'TODO';

type Members = Record<string, JsonValue>;

/**
 * A control file to start from: one instruction for every name that the model offers, with `TODO` as the source. It is
 * valid as it is, so that `check` tells what is left to do only by what is changed.
 */
export function generateControlFile(model: Model): Members {
  const destinations = [...model.destinations.values()].filter(({ kind }) => kind !== 'pseudo');
  const instructions = destinations.flatMap((destination) =>
    [...destination.names.values()].flatMap((name) => instructionsFor(destination, name, model)),
  );
  const mapping = mappingsOf(destinations, model);
  return {
    dataImportControlFileVersion: 0,
    model: model.name,
    files: { [TODO]: { read: 'json' } },
    instructions,
    ...(Object.keys(mapping).length === 0 ? {} : { mapping }),
  };
}

function instructionsFor(destination: Destination, name: DestinationName, model: Model): Members[] {
  const field: Members = { source: TODO, destination: destination.name, name: name.name };
  if (destination.role === 'user' && name.name === 'groups') return [groupsInstruction(field, model)];
  switch (name.dataType) {
    case 'datetime':
      return [{ ...field, dateFormat: 'yyyy-MM-dd' }];
    case 'telephone-number':
      return [{ ...field, country: 'GB' }];
    case 'person-name':
    case 'postal-address':
      return structuredInstructions(name.dataType, destination, name, model);
    case 'ref':
      if (refersToPeople(name, model)) return [{ ...field, filters: ['haplo:username-to-ref'] }];
      return hasObjects(name, model) ? [{ ...field, refMapping: name.name }] : [];
    case 'attribute-group':
      return groupInstructions(destination, name, model);
    default:
      return [field];
  }
}

function groupsInstruction(field: Members, model: Model): Members {
  const managed = model.groups.filter((group) => group.managed);
  const mapInputValue = Object.fromEntries(managed.map(({ code }, index) => [`${TODO} ${index + 1}`, code]));
  return { ...field, multivalue: true, mapInputValue };
}

/** The name of a person is made by the sync; another one needs a qualifier to stand beside it. */
function structuredInstructions(
  type: StructuredType,
  destination: Destination,
  name: DestinationName,
  model: Model,
): Members[] {
  const [qualifier] = model.qualifiers;
  const collect = STRUCTURED_FIELDS[type].map((part): Members => ({
    source: TODO,
    destination: `value:${type}`,
    name: part,
  }));
  const set: Members = {
    action: 'field-structured',
    structured: `value:${type}`,
    destination: destination.name,
    name: name.name,
    ...(type === 'person-name' && qualifier !== undefined ? { qualifier: qualifier.code } : {}),
  };
  return [...collect, set];
}

function groupInstructions(destination: Destination, name: DestinationName, model: Model): Members[] {
  const source = `${destination.name}:attribute-group:${name.name}`;
  const members = model.destinations.get(source);
  if (members === undefined) return [];
  const collect = [...members.names.values()].flatMap((member) => instructionsFor(members, member, model));
  return [...collect, { action: 'set-attribute-group', source, destination: destination.name, name: name.name }];
}

/** One table for each name that refers to objects of the model, by behaviour. */
function mappingsOf(destinations: readonly Destination[], model: Model): Members {
  const names = destinations.flatMap((destination) => [...destination.names.values()]);
  const refs = names.filter((name) => name.dataType === 'ref' && hasObjects(name, model));
  return Object.fromEntries(
    refs.map((name) => {
      const values = objectsFor(name, model).map(
        ({ behaviour }, index) => [`${TODO} ${index + 1}`, behaviour] as const,
      );
      return [name.name, { types: [...name.refTypes], using: 'behaviour', values: Object.fromEntries(values) }];
    }),
  );
}

function refersToPeople(name: DestinationName, model: Model): boolean {
  return name.refTypes.some((type) => model.isKindOf(type, PERSON_TYPE));
}

function hasObjects(name: DestinationName, model: Model): boolean {
  return objectsFor(name, model).length > 0;
}

function objectsFor(name: DestinationName, model: Model): Model['objects'] {
  return model.objects.filter((object) => name.refTypes.some((type) => model.isKindOf(object.type, type)));
}
