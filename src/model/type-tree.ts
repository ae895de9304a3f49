import type { ObjectType } from './schema.js';

/** Who descends from whom among the types of a model. Survives cycles, which the model's checks report. */
export class TypeTree {
  private readonly parents: ReadonlyMap<string, string | null>;

  constructor(types: readonly ObjectType[]) {
    this.parents = new Map(types.map((type) => [type.code, type.parent]));
  }

  has(code: string): boolean {
    return this.parents.has(code);
  }

  /** The type itself or any type above it is `ancestor`. */
  isKindOf(code: string, ancestor: string): boolean {
    return this.lineage(code).includes(ancestor);
  }

  /** The type comes back to itself by way of its parents. */
  isInCycle(code: string): boolean {
    const parent = this.parents.get(code);
    return typeof parent === 'string' && this.lineage(parent).includes(code);
  }

  /** The type and those above it, nearest first. */
  private lineage(code: string): string[] {
    const seen: string[] = [];
    for (
      let at: string | null | undefined = code;
      typeof at === 'string' && !seen.includes(at);
      at = this.parents.get(at)
    ) {
      seen.push(at);
    }
    return seen;
  }
}
