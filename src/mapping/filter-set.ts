import type { ObjectLookup, Value } from './references.js';

/** What a filter gives that could not do its work: the value is not set, and an error says which filter it was. */
export const FILTER_FAILED: unique symbol = Symbol('filter failed');

/** A filter that was not written here may fail; those built in never do. */
export type FallibleFilter = (value: Value) => Value | undefined | typeof FILTER_FAILED;

/** By name. Each makes the one instance that serves a whole run. */
export type FilterFactories = ReadonlyMap<string, (lookup: ObjectLookup) => FallibleFilter>;

/** The filters of one compiled control file, each made when it is first asked for and never again. */
export class FilterSet {
  private readonly instances = new Map<string, FallibleFilter>();

  constructor(
    private readonly factories: FilterFactories,
    private readonly lookup: ObjectLookup,
  ) {}

  get(name: string): FallibleFilter {
    const known = this.instances.get(name);
    if (known !== undefined) return known;
    const make = this.factories.get(name);
    if (make === undefined) throw new Error(`the control file was not validated: no filter ${name}`);
    const filter = make(this.lookup);
    this.instances.set(name, filter);
    return filter;
  }
}
