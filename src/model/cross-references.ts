import { didYouMean } from './near-miss.js';
import { pointerTo } from './json-source.js';
import { EMAIL_ATTRIBUTE, PERSON_TYPE, TITLE_ATTRIBUTE, TYPE_ATTRIBUTE } from './destinations.js';
import type { ModelProblemCode } from './problems.js';
import type { DataType, DependentDestination, ModelFile } from './schema.js';
import { TypeTree } from './type-tree.js';

/** Called with the place and what is wrong there. */
export type Report = (code: ModelProblemCode, pointer: string, message: string) => void;

/** What the shape alone cannot tell: that every code is given once and every code named is given. */
export function checkCrossReferences(file: ModelFile, report: Report): void {
  const types = new TypeTree(file.types);
  const checks = new Checks(file, types, report);
  checks.codesAreUnique();
  checks.typesFormATree();
  checks.attributesFit();
  checks.groupsFit();
  checks.objectsFit();
  checks.destinationsFit();
  checks.syncFindsWhatItSets();
}

/** Names that extra destinations cannot take. */
const BUILT_IN_DESTINATIONS = [
  'user',
  'user:tags',
  'profile',
  'load:by-ref',
  'value:person-name',
  'value:postal-address',
];

class Checks {
  private readonly typeCodes: readonly string[];
  private readonly attributeCodes: readonly string[];

  constructor(
    private readonly file: ModelFile,
    private readonly types: TypeTree,
    private readonly report: Report,
  ) {
    this.typeCodes = file.types.map((type) => type.code);
    this.attributeCodes = file.attributes.map((attribute) => attribute.code);
  }

  codesAreUnique(): void {
    this.unique('/types', 'code', this.typeCodes);
    this.unique('/attributes', 'code', this.attributeCodes);
    this.unique(
      '/qualifiers',
      'code',
      this.file.qualifiers.map((qualifier) => qualifier.code),
    );
    this.unique(
      '/groups',
      'code',
      this.file.groups.map((group) => group.code),
    );
    this.unique(
      '/objects',
      'behaviour',
      this.file.objects.map((object) => object.behaviour),
    );
    this.unique(
      '/tags',
      'code',
      this.file.tags.map((tag) => tag.code),
    );
    this.unique(
      '/destinations',
      'name',
      this.file.destinations.map((destination) => destination.name),
    );
  }

  typesFormATree(): void {
    this.file.types.forEach((type, index) => {
      if (type.parent === null) return;
      const pointer = `/types/${index}/parent`;
      if (this.knownType(type.parent, pointer) && this.types.isInCycle(type.code)) {
        this.report('parent-cycle', pointer, `the type \`${type.code}\` is among its own ancestors`);
      }
    });
  }

  attributesFit(): void {
    this.file.attributes.forEach((attribute, index) => {
      const pointer = `/attributes/${index}`;
      attribute.types.forEach((type, at) => this.knownType(type, `${pointer}/types/${at}`));
      attribute.refTypes?.forEach((type, at) => this.knownType(type, `${pointer}/refTypes/${at}`));
      if (attribute.dataType === 'ref' && (attribute.refTypes ?? []).length === 0) {
        this.report('missing-key', pointer, `\`refTypes\` must say what \`${attribute.code}\` may refer to`);
      }
      if (attribute.dataType === 'attribute-group' && (attribute.attributes ?? []).length === 0) {
        this.report('missing-key', pointer, `\`attributes\` must say what a group of \`${attribute.code}\` is made of`);
      }
      attribute.attributes?.forEach((code, at) => this.knownAttribute(code, `${pointer}/attributes/${at}`));
    });
  }

  groupsFit(): void {
    this.file.groups.forEach((group, index) => {
      for (const key of ['typeActive', 'typePast'] as const) {
        const type = group[key];
        const pointer = `/groups/${index}/${key}`;
        if (type === null || !this.knownType(type, pointer) || this.types.isKindOf(type, PERSON_TYPE)) continue;
        this.report(
          'wrong-type',
          pointer,
          `\`${type}\` is not a kind of \`${PERSON_TYPE}\`, as profiles of members are`,
        );
      }
    });
  }

  objectsFit(): void {
    this.file.objects.forEach((object, index) => this.knownType(object.type, `/objects/${index}/type`));
  }

  destinationsFit(): void {
    this.file.destinations.forEach((destination, index) => {
      const pointer = `/destinations/${index}`;
      if (BUILT_IN_DESTINATIONS.includes(destination.name)) {
        this.report('duplicate-code', `${pointer}/name`, `\`${destination.name}\` is a destination of every model`);
      }
      if (destination.kind === 'dictionary') {
        this.unique(
          `${pointer}/names`,
          'name',
          destination.names.map(({ name }) => name),
        );
      } else {
        this.dependentFits(destination, pointer);
      }
    });
  }

  private dependentFits(destination: DependentDestination, pointer: string): void {
    this.knownType(destination.objectType, `${pointer}/objectType`);
    if (this.types.isKindOf(destination.objectType, PERSON_TYPE)) {
      const message = 'people have accounts of their own: objects that belong to a person are of another type';
      this.report('wrong-type', `${pointer}/objectType`, message);
    }
    if (this.knownAttribute(destination.link, `${pointer}/link`)) this.linkFits(destination, `${pointer}/link`);
    const owners = this.file.destinations.flatMap(({ kind, name }) => (kind === 'object' ? [name] : []));
    const known = ['profile', ...owners.filter((name) => name !== destination.name)];
    if (!known.includes(destination.depends)) {
      const hint = didYouMean(destination.depends, known);
      const message = `no other destination \`${destination.depends}\` has objects${hint}`;
      this.report('unknown-code', `${pointer}/depends`, message);
    } else if (this.dependsOnItself(destination)) {
      this.report('parent-cycle', `${pointer}/depends`, `\`${destination.name}\` is among its own owners`);
    }
  }

  private linkFits({ link, objectType }: DependentDestination, pointer: string): void {
    const attribute = this.file.attributes.find(({ code }) => code === link);
    if (attribute === undefined) return;
    if (attribute.dataType !== 'ref') {
      this.report('wrong-type', pointer, `\`${link}\` must be of data type \`ref\`, to refer to the owner`);
    } else if (!attribute.types.some((type) => this.types.isKindOf(objectType, type))) {
      this.report('wrong-type', pointer, `\`${objectType}\` must have \`${link}\``);
    }
  }

  private dependsOnItself({ name, depends }: DependentDestination): boolean {
    const owners = new Map(
      this.file.destinations.flatMap((one) => (one.kind === 'object' ? [[one.name, one.depends]] : [])),
    );
    const seen = new Set<string>();
    for (let at: string | undefined = depends; at !== undefined && !seen.has(at); at = owners.get(at)) {
      if (at === name) return true;
      seen.add(at);
    }
    return false;
  }

  /** Without these the sync could not write a profile at all. */
  syncFindsWhatItSets(): void {
    if (!this.types.has(PERSON_TYPE)) this.report('missing-code', '/types', `there must be a type \`${PERSON_TYPE}\``);
    this.personHas(TITLE_ATTRIBUTE, 'person-name');
    this.personHas(EMAIL_ATTRIBUTE, 'email-address');
    const type = this.attributeCodes.indexOf(TYPE_ATTRIBUTE);
    if (type >= 0) {
      this.report(
        'reserved-code',
        `/attributes/${type}/code`,
        `\`${TYPE_ATTRIBUTE}\` is set by the sync itself: leave it out`,
      );
    }
  }

  private personHas(code: string, dataType: DataType): void {
    const index = this.attributeCodes.indexOf(code);
    const attribute = this.file.attributes[index];
    if (attribute === undefined) {
      this.report('missing-code', '/attributes', `there must be an attribute \`${code}\` of data type \`${dataType}\``);
    } else if (attribute.dataType !== dataType) {
      this.report('wrong-type', `/attributes/${index}/dataType`, `\`${code}\` must be of data type \`${dataType}\``);
    } else if (!attribute.types.some((type) => this.types.isKindOf(PERSON_TYPE, type))) {
      this.report('wrong-type', `/attributes/${index}/types`, `\`${PERSON_TYPE}\` must have \`${code}\``);
    }
  }

  private unique(list: string, key: string, codes: readonly string[]): void {
    const seen = new Set<string>();
    codes.forEach((code, index) => {
      if (seen.has(code)) {
        this.report('duplicate-code', pointerTo(`${list}/${index}`, key), `\`${code}\` is already in this list`);
      }
      seen.add(code);
    });
  }

  private knownType(code: string, pointer: string): boolean {
    return this.known('type', code, this.typeCodes, pointer);
  }

  private knownAttribute(code: string, pointer: string): boolean {
    return this.known('attribute', code, this.attributeCodes, pointer);
  }

  private known(what: string, code: string, codes: readonly string[], pointer: string): boolean {
    if (codes.includes(code)) return true;
    this.report('unknown-code', pointer, `unknown ${what} \`${code}\`${didYouMean(code, codes)}`);
    return false;
  }
}
