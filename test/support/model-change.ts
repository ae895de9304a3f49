import { isDeepStrictEqual } from 'node:util';
import type { ChangeKind, ChangeState } from '../../src/domain/run.js';
import type { User } from './model-user.js';

/** What a run does to one user of the plain model, and how it stands in the change log. */
export interface ModelChange {
  readonly kind: ChangeKind;
  /** Undefined for one who is added. */
  readonly before: User | undefined;
  readonly after: User;
}

/** A user, or a side of a change, as followers of the change log keep it: values by section and name. */
export type Values = ReadonlyMap<string, unknown>;

const ACCOUNT = ['isActive', 'email', 'title', 'nameFirst', 'nameLast'] as const;

const NEW_ACCOUNT: Values = new Map<string, unknown>([
  ['user/isActive', true],
  ['user/title', null],
]);

/** @param user undefined: an account that was just made */
export function valuesOf(user: User | undefined): Values {
  if (user === undefined) return NEW_ACCOUNT;
  return sideOf({
    user: { ...Object.fromEntries(ACCOUNT.map((name) => [name, user[name]])), groups: user.managed },
    tags: user.tags,
    types: user.types,
    profile: user.profile,
  });
}

/** Lists of groups and types have an order that means nothing here. */
export function sideOf({ types, ...sections }: ChangeState): Values {
  const values = new Map<string, unknown>();
  for (const [section, names] of Object.entries(sections)) {
    for (const [name, value] of Object.entries(names)) values.set(`${section}/${name}`, value);
  }
  const groups = values.get('user/groups');
  if (Array.isArray(groups)) values.set('user/groups', groups.toSorted());
  return types === undefined ? values : values.set('types', types.toSorted());
}

/** What a follower has after a change: what is in `before` goes, what is in `after` comes. */
export function followed(values: Values, before: Values, after: Values): Values {
  return new Map([...[...values].filter(([key]) => !before.has(key)), ...after]);
}

/** Whether all that the change set is as it set it. */
export function stillHolds(user: User, change: ModelChange): boolean {
  if (user.inFeed !== (change.kind !== 'block')) return false;
  const [now, after] = [valuesOf(user), valuesOf(change.after)];
  return changedBy(change).every((key) => isDeepStrictEqual(now.get(key) ?? null, after.get(key) ?? null));
}

/** The user with all that the change set as it was before. */
export function takenBack(user: User, change: ModelChange): User {
  const { before } = change;
  const next = structuredClone(user);
  if (before === undefined) return next;
  for (const key of changedBy(change)) {
    const [section, ...rest] = key.split('/');
    const name = rest.join('/');
    if (section === 'types') next.types = before.types;
    else if (section === 'tags') restore(next.tags, before.tags, name);
    else if (section === 'profile') restore(next.profile, before.profile, name);
    else if (name === 'groups') next.managed = [...before.managed];
    else Object.assign(next, { [name]: before[name as (typeof ACCOUNT)[number]] });
  }
  return next;
}

function changedBy({ before, after }: ModelChange): string[] {
  const [old, now] = [valuesOf(before), valuesOf(after)];
  return [...new Set([...old.keys(), ...now.keys()])].filter((key) => !isDeepStrictEqual(old.get(key), now.get(key)));
}

function restore<T>(values: Record<string, T>, from: Readonly<Record<string, T>>, name: string): void {
  const value = from[name];
  if (value === undefined) delete values[name];
  else values[name] = value;
}
