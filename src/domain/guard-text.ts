import type { GuardResult } from './guard.js';
import { counted, number, percent } from './number-text.js';

/** What a breach is called in lists: its guard, or which plugin it is. */
export function breachName({ guard, subject }: GuardResult): string {
  return guard === 'plugin' ? `plugin ${subject ?? ''}` : guard;
}

/** What a guard found, as a sentence for a person. */
export function describeGuard(result: GuardResult): string {
  const { count, subject } = result;
  const found = percent(result.value);
  const limit = percent(result.limit);
  switch (result.guard) {
    case 'first-run':
      return result.breached
        ? `nothing of this feed was applied before; ${people(count)} would be added`
        : 'the feed was applied before';
    case 'blocked':
      return `${people(count)} would be blocked: ${found} of those in the feed, limit ${limit}`;
    case 'updated':
      return `${people(count)} would be updated: ${found} of those in the feed, limit ${limit}`;
    case 'rejected':
      return `${number(count)} records were rejected: ${found} of the batch, limit ${limit}`;
    case 'unreadable-usernames':
      if (count === 0) return 'every record has a readable username';
      return `${number(count)} records have no readable username, so nobody knows whether their users left`;
    case 'record-count':
      return `the number of records differs by ${number(count)} (${found}) from the last batch, limit ${limit}`;
    case 'file-size':
      return `file ${subject ?? ''} differs by ${number(count)} bytes (${found}) from the last batch, limit ${limit}`;
    case 'group-loss':
      return subject === undefined
        ? 'no group would lose members'
        : `${number(count)} members would leave group ${subject}: ${found}, limit ${limit}`;
    case 'field-emptied':
      return subject === undefined
        ? 'no mapped name was emptied'
        : `${subject} is given for ${found} fewer of the records than last time (${people(count)}), limit ${limit}`;
    case 'plugin':
      return `${subject ?? ''} wants the run held: ${result.reason ?? ''}`;
    case 'empty':
      return result.breached ? 'the batch has no records' : `the batch has ${number(count)} records`;
  }
}

function people(count: number): string {
  return counted(count, 'user');
}
