import type { Destination } from '../model/destinations.js';
import type { Model } from '../model/model.js';
import { objectAt, type ExistingObject, type ExistingUser } from './existing.js';
import type { DependentObject } from './mapped.js';
import type { AttributeEdit } from './attribute-edits.js';

/** A dependent destination of a compiled control file. */
export interface CompiledDependent {
  readonly name: string;
  readonly objectType: string;
  readonly optional: boolean;
  /** Undefined: the profile owns its objects. */
  readonly owner: CompiledDependent | undefined;
  readonly children: CompiledDependent[];
  /** Attributes that the control file mentions, with their slots among the edits. */
  attributes: readonly (readonly [string, number])[];
}

/** Which dependent destinations take part: those mentioned, their owners, and those whose objects are always made. */
export class DependentTable {
  private readonly compiled = new Map<string, CompiledDependent>();

  constructor(private readonly model: Model) {
    for (const { name, optional } of model.dependents) if (!optional) this.of(name);
  }

  get all(): readonly CompiledDependent[] {
    return [...this.compiled.values()];
  }

  of(name: string): CompiledDependent {
    const known = this.compiled.get(name);
    if (known !== undefined) return known;
    const dependent = this.model.destinations.get(name)?.dependent;
    if (dependent === undefined) throw new Error(`${name} is no dependent destination`);
    const owner = dependent.owner === 'profile' ? undefined : this.of(dependent.owner);
    const { objectType, optional } = dependent;
    const compiled = { name, objectType, optional, owner, children: [], attributes: [] };
    owner?.children.push(compiled);
    this.compiled.set(name, compiled);
    return compiled;
  }

  /** When all instructions are compiled, and so all slots are given out. */
  finish(slotsOf: (destination: Destination) => readonly (readonly [string, number])[]): readonly CompiledDependent[] {
    for (const compiled of this.all) {
      const destination = this.model.destinations.get(compiled.name);
      if (destination !== undefined) compiled.attributes = slotsOf(destination);
    }
    return this.all;
  }
}

/**
 * Of the object that is there by itself. What `new` starts comes after it, also when a record or the control file has no
 * use for that one: so no object changes its place with what stands before `new`, and none that somebody made is taken.
 */
const FIRST_PLACE = 0;

interface Target {
  readonly dependent: CompiledDependent;
  readonly owner: number | null;
  readonly which: DependentObject['which'];
  attributes: Record<string, AttributeEdit>;
}

/**
 * The objects that one record deals with. Each destination has a current one, which instructions change by way of the
 * slots; it is begun by the first value set, by `new` or by `load`, and completed when the next one is begun.
 */
export class DependentTargets {
  private targets: Target[] = [];
  private readonly current = new Map<CompiledDependent, number>();
  /** The last place for which `new` has started an object, by destination and owner. */
  private readonly started = new Map<string, number>();
  private readonly loaded = new Map<string, ExistingObject>();
  /** Where each object is among the targets. */
  private readonly known = new Map<string, number>();
  private existing: ExistingUser | undefined;

  constructor(
    private readonly all: readonly CompiledDependent[],
    private readonly edits: (AttributeEdit | undefined)[],
    private readonly model: Model,
  ) {}

  start(existing: ExistingUser | undefined): void {
    this.targets = [];
    this.current.clear();
    this.started.clear();
    this.loaded.clear();
    this.known.clear();
    this.existing = existing;
  }

  /** Where the current object is among the record's, counted from 0; begins the one that is there by itself when there is none. */
  use(dependent: CompiledDependent): number {
    return this.current.get(dependent) ?? this.begin(dependent, { place: FIRST_PLACE });
  }

  startNew(dependent: CompiledDependent): void {
    this.complete(dependent);
    const owner = this.ownerOf(dependent);
    const key = `${owner ?? ''} ${dependent.name}`;
    const place = (this.started.get(key) ?? FIRST_PLACE) + 1;
    this.started.set(key, place);
    this.begin(dependent, { place });
  }

  /** False: the object is not one that this destination of this user may change. */
  load(dependent: CompiledDependent, object: ExistingObject): boolean {
    const { types, owner } = object;
    const isOfType = types === null || types.some((type) => this.model.isKindOf(type, dependent.objectType));
    if (!isOfType) return false;
    // What belongs to somebody else is not this record's to change.
    if (owner !== null && owner !== this.refOf(this.ownerOf(dependent))) return false;
    const before = this.known.get(keyOf(dependent, null, { ref: object.ref }));
    if (before !== undefined && this.targets[before]?.owner !== this.ownerOf(dependent)) return false;
    this.complete(dependent);
    this.loaded.set(object.ref, object);
    this.begin(dependent, { ref: object.ref });
    return true;
  }

  /**
   * The current object is in the directory, or this record set or loaded something for it. Before there is a current one:
   * the user has any object of the type, whoever made it and for whatever place.
   */
  exists(dependent: CompiledDependent): boolean {
    const index = this.current.get(dependent);
    if (index === undefined) return this.hasAny(dependent);
    const target = this.targets[index];
    if (target !== undefined && 'ref' in target.which) return true;
    if (dependent.attributes.some(([, slot]) => (this.edits[slot]?.values.length ?? 0) > 0)) return true;
    return this.existingObject(dependent) !== undefined;
  }

  private hasAny(dependent: CompiledDependent): boolean {
    const owner = this.currentOwnerRef(dependent);
    return (this.existing?.objects ?? []).some(
      (object) =>
        object.owner === owner &&
        object.types?.some((type) => this.model.isKindOf(type, dependent.objectType)) === true,
    );
  }

  /** What the directory holds at the place of the current object. */
  existingObject(dependent: CompiledDependent): ExistingObject | undefined {
    const index = this.current.get(dependent);
    const target = index === undefined ? undefined : this.targets[index];
    const owner = target === undefined ? this.currentOwnerRef(dependent) : this.refOf(target.owner);
    return this.find(dependent, owner, target?.which ?? { place: FIRST_PLACE });
  }

  /** Everything the record makes of dependent objects; what it says nothing of is left out. */
  take(): readonly DependentObject[] {
    for (const dependent of this.all) {
      if (!dependent.optional && dependent.owner === undefined) this.use(dependent);
    }
    for (const dependent of this.all) if (!dependent.optional) this.useForEachOwner(dependent);
    for (const dependent of this.current.keys()) this.collect(dependent);
    return this.withoutUntouched();
  }

  private useForEachOwner(dependent: CompiledDependent): void {
    const { owner } = dependent;
    if (owner === undefined) return;
    this.targets.forEach((target, index) => {
      if (target.dependent !== owner) return;
      const isThere = this.targets.some((one) => one.dependent === dependent && one.owner === index);
      if (!isThere) this.targets.push({ dependent, owner: index, which: { place: FIRST_PLACE }, attributes: {} });
    });
  }

  private begin(dependent: CompiledDependent, which: DependentObject['which']): number {
    const owner = this.ownerOf(dependent);
    const key = keyOf(dependent, owner, which);
    const before = this.known.get(key);
    if (before !== undefined) {
      this.resume(dependent, before);
      return before;
    }
    const index = this.targets.length;
    this.targets.push({ dependent, owner, which, attributes: {} });
    this.known.set(key, index);
    this.current.set(dependent, index);
    return index;
  }

  /** Goes on with an object that was completed, and with what belongs to it. */
  private resume(dependent: CompiledDependent, index: number): void {
    this.current.set(dependent, index);
    for (const [attribute, slot] of dependent.attributes) this.edits[slot] = this.targets[index]?.attributes[attribute];
    for (const child of dependent.children) {
      const own = this.known.get(keyOf(child, index, { place: FIRST_PLACE }));
      if (own !== undefined) this.resume(child, own);
    }
  }

  private ownerOf({ owner }: CompiledDependent): number | null {
    return owner === undefined ? null : this.use(owner);
  }

  /** Also of what belongs to it: the next one has another owner. */
  private complete(dependent: CompiledDependent): void {
    this.collect(dependent);
    this.current.delete(dependent);
    for (const child of dependent.children) this.complete(child);
  }

  private collect(dependent: CompiledDependent): void {
    const index = this.current.get(dependent);
    const target = index === undefined ? undefined : this.targets[index];
    if (target === undefined) return;
    for (const [attribute, slot] of dependent.attributes) {
      const edit = this.edits[slot];
      if (edit !== undefined) target.attributes[attribute] = edit;
      this.edits[slot] = undefined;
    }
  }

  /** From the end, since what belongs to an object comes after it and keeps it in. */
  private withoutUntouched(): readonly DependentObject[] {
    const { targets } = this;
    // What is changed of a loaded object needs an owner, also when it only loses values.
    const make = targets.map(
      ({ dependent, which, attributes }) =>
        !dependent.optional || Object.values(attributes).some(({ values }) => 'ref' in which || values.length > 0),
    );
    const keep = targets.map(({ attributes }, index) => make[index] === true || Object.keys(attributes).length > 0);
    for (let index = targets.length - 1; index >= 0; index--) {
      const owner = targets[index]?.owner ?? null;
      if (owner === null) continue;
      if (make[index] === true) make[owner] = true;
      if (keep[index] === true) keep[owner] = true;
    }
    const places: number[] = [];
    const objects: DependentObject[] = [];
    targets.forEach(({ dependent, owner, which, attributes }, index) => {
      places.push(objects.length);
      if (keep[index] !== true) return;
      objects.push({
        destination: dependent.name,
        number: index + 1,
        owner: owner === null ? null : (places[owner] ?? null),
        which,
        make: make[index] === true,
        attributes,
      });
    });
    return objects;
  }

  private currentOwnerRef({ owner }: CompiledDependent): string | null {
    if (owner === undefined) return this.existing?.profileRef ?? null;
    const index = this.current.get(owner);
    if (index !== undefined) return this.refOf(index);
    return this.find(owner, this.currentOwnerRef(owner), { place: FIRST_PLACE })?.ref ?? null;
  }

  /** The ref of an object of this record, when the directory has it. */
  private refOf(index: number | null): string | null {
    if (index === null) return this.existing?.profileRef ?? null;
    const target = this.targets[index];
    if (target === undefined) return null;
    return this.find(target.dependent, this.refOf(target.owner), target.which)?.ref ?? null;
  }

  private find(
    { name, objectType }: CompiledDependent,
    owner: string | null,
    which: DependentObject['which'],
  ): ExistingObject | undefined {
    const objects = this.existing?.objects ?? [];
    // Looked up for `load`: one that belongs to nobody is not among the user's.
    if ('ref' in which) return this.loaded.get(which.ref);
    if (owner === null) return undefined;
    return objectAt(objects, { destination: name, objectType, owner, place: which.place }, this.model, this.loaded);
  }
}

function keyOf({ name }: CompiledDependent, owner: number | null, which: DependentObject['which']): string {
  return 'ref' in which ? `${name} ${which.ref}` : `${name} ${owner ?? ''}/${which.place}`;
}
