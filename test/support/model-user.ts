/** A user of the plain model of the directory, and what a record makes of them. */

export interface ModelRecord {
  readonly USERNAME: string;
  readonly TITLE: string;
  readonly FIRST: string;
  readonly LAST: string;
  readonly EMAIL: string;
  readonly GROUPS: readonly string[];
  readonly JOB: string;
  readonly URL: string;
  readonly NOTES: readonly string[];
  readonly ALSO: string;
  readonly CARD: string;
}

/** One name of each kind of rule: kept when not given (job), removed first (url), added to (notes), qualified (also). */
export const PROPERTY_CONTROL = {
  dataImportControlFileVersion: 0,
  model: 'haplo:user-sync',
  files: { users: { read: 'json' } },
  instructions: [
    { source: 'USERNAME', destination: 'user', name: 'username' },
    { source: 'TITLE', destination: 'user', name: 'title' },
    { source: 'FIRST', destination: 'user', name: 'nameFirst' },
    { source: 'LAST', destination: 'user', name: 'nameLast' },
    { source: 'EMAIL', destination: 'user', name: 'email' },
    {
      action: 'for-each',
      source: 'GROUPS',
      wrapValues: true,
      instructions: [{ source: 'value', destination: 'user', name: 'groups', multivalue: true }],
    },
    { source: 'JOB', destination: 'profile', name: 'std:attribute:job-title' },
    { action: 'remove-values', destination: 'profile', name: 'std:attribute:url' },
    { source: 'URL', destination: 'profile', name: 'std:attribute:url' },
    {
      action: 'for-each',
      source: 'NOTES',
      wrapValues: true,
      instructions: [{ source: 'value', destination: 'profile', name: 'std:attribute:notes', multivalue: true }],
    },
    {
      action: 'if-exists',
      source: 'ALSO',
      then: [
        { source: 'ALSO', destination: 'value:person-name', name: 'last' },
        {
          action: 'field-structured',
          structured: 'value:person-name',
          destination: 'profile',
          name: 'dc:attribute:title',
          qualifier: 'dc:qualifier:alternative',
        },
      ],
    },
    { source: 'CARD', destination: 'user:tags', name: 'example:tag:card-number' },
  ],
};

export interface Value {
  readonly value: unknown;
  readonly qualifier?: string;
}

export interface User {
  email: string;
  title: string | null;
  nameFirst: string;
  nameLast: string;
  isActive: boolean;
  inFeed: boolean;
  managed: string[];
  unmanaged: string[];
  tags: Record<string, string>;
  types: string[];
  profile: Record<string, Value[]>;
  inError: boolean;
  /** The record that the user was last brought in step with. */
  taken: string;
}

export const MANAGED = ['example:group:staff', 'example:group:students'];
const ACTIVE_TYPE: Record<string, string> = {
  'example:group:staff': 'std:type:person:staff',
  'example:group:students': 'std:type:person:student',
};
export const REVIEWERS = 'example:group:reviewers';
export const HAND_MADE = 'hand@example.org';
export const NOTES = 'std:attribute:notes';
const [TITLE, EMAIL, JOB, URL] = [
  'dc:attribute:title',
  'std:attribute:email',
  'std:attribute:job-title',
  'std:attribute:url',
];

/** What a profile's types become when its user is blocked; undefined: they stay. */
export function pastTypes({ managed }: User): string[] | undefined {
  const last = MANAGED.filter((group) => managed.includes(group)).at(-1);
  return last === undefined ? undefined : [`${ACTIVE_TYPE[last] ?? ''}-past`];
}

export function isAcceptable(record: ModelRecord): boolean {
  return record.EMAIL.includes('@') && record.GROUPS.every((group) => MANAGED.includes(group));
}

/** The part of a record that has an effect: a URL without scheme has none. */
export function effective(record: ModelRecord): ModelRecord {
  return { ...record, URL: record.URL === 'no scheme' ? '' : record.URL };
}

export function updated(user: User | undefined, given: ModelRecord): User {
  const record = effective(given);
  const profile: Record<string, Value[]> = { ...user?.profile };
  const name = {
    ...(record.TITLE === '' ? {} : { title: record.TITLE }),
    first: record.FIRST,
    last: record.LAST,
  };
  const otherTitles = (profile[TITLE] ?? []).filter((value) => value.qualifier !== undefined);
  const also = record.ALSO === '' ? undefined : { value: { last: record.ALSO }, qualifier: 'dc:qualifier:alternative' };
  profile[TITLE] = [{ value: name }, ...(also === undefined ? otherTitles : [also])];
  profile[EMAIL] = [{ value: record.EMAIL }];
  if (record.JOB !== '') profile[JOB] = [{ value: record.JOB }];
  if (record.URL === '') delete profile[URL];
  else profile[URL] = [{ value: record.URL }];
  const notes = profile[NOTES] ?? [];
  const added = record.NOTES.filter((note) => notes.every((value) => value.value !== note)).map((value) => ({ value }));
  if (notes.length + added.length > 0) profile[NOTES] = [...notes, ...added];
  const managed = MANAGED.filter((group) => record.GROUPS.includes(group));
  const types = managed.map((group) => ACTIVE_TYPE[group] ?? '');
  return {
    email: record.EMAIL,
    title: record.TITLE === '' ? null : record.TITLE,
    nameFirst: record.FIRST,
    nameLast: record.LAST,
    isActive: user?.inFeed === true ? user.isActive : true,
    inFeed: true,
    managed,
    unmanaged: user?.unmanaged ?? [],
    tags: { ...user?.tags, ...(record.CARD === '' ? {} : { 'example:tag:card-number': record.CARD }) },
    types: types.length > 0 ? types : ['std:type:person'],
    profile,
    inError: false,
    taken: '',
  };
}

export function isSame(user: User, next: User): boolean {
  const visible = ({ inError: _error, taken: _taken, managed, ...rest }: User): string =>
    JSON.stringify({ ...rest, managed: [...managed].sort(), profile: Object.entries(rest.profile).sort() });
  return visible(user) === visible(next);
}
