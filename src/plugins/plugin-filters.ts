import { UserSyncError } from '../lib/errors.js';
import { FILTER_FAILED, type FallibleFilter } from '../mapping/filter-set.js';
import { BUILT_IN_FILTERS } from '../mapping/filters.js';
import { ObjectReference, PersonReference, isReference, type ObjectLookup, type Value } from '../mapping/references.js';
import type { Contribution } from './load-plugins.js';
import type { FilterContext, FilterFactory } from './plugin.js';
import { describeFailure } from './plugin-failure.js';
import { impurityOf } from './plain-json.js';

/** Whatever a filter makes was read under the caps for records, so only its depth could go wrong. */
const CAPS = { depth: 100, keys: Infinity, size: Infinity };

/** A plugin's filter such that it can fail for one value, and never for the record or the run. */
export function pluginFilter(contribution: Contribution<FilterFactory>): (lookup: ObjectLookup) => FallibleFilter {
  return (lookup) => {
    const filter = make(contribution, contextOf(lookup));
    return (value) => {
      try {
        const result = filter(value);
        return result === undefined || isValue(result, value) ? result : FILTER_FAILED;
      } catch {
        // What it says may quote the value, which belongs in the run's error list only, where the value is shown already.
        return FILTER_FAILED;
      }
    };
  };
}

/** @throws UserSyncError `invalid-plugin` */
function make({ plugin, name, value: factory }: Contribution<FilterFactory>, context: FilterContext): Filter {
  let filter: unknown;
  try {
    filter = factory(context);
  } catch (error) {
    const message = `Making the filter ${name} of plugin ${plugin} failed: ${describeFailure(error)}. Correct the plugin.`;
    throw new UserSyncError('invalid-plugin', message, { kind: 'usage', cause: error });
  }
  if (typeof filter === 'function') return filter as Filter;
  const message = `Making the filter ${name} of plugin ${plugin} gave no function. Correct the plugin.`;
  throw new UserSyncError('invalid-plugin', message, { kind: 'usage' });
}

type Filter = (value: Value) => unknown;

function contextOf(lookup: ObjectLookup): FilterContext {
  // One rule for what can be a username, and one form for the reference.
  const toPerson = BUILT_IN_FILTERS.get('haplo:username-to-ref')?.(lookup);
  const isKnown = (ref: string): boolean => lookup.byRef(ref) !== undefined;
  return {
    lookup: {
      byBehaviour: (code) => lookup.byBehaviour(code),
      byRef: (ref) => (isKnown(ref) ? ref : undefined),
    },
    objectReference: (ref) => (isKnown(ref) ? new ObjectReference(ref) : undefined),
    personReference: (username) => {
      const person = toPerson?.(username);
      return person instanceof PersonReference ? person : undefined;
    },
  };
}

function isValue(result: unknown, given: Value): result is Value {
  return result === given || isReference(result as Value) || impurityOf(result, CAPS) === undefined;
}
