/** Who may do what: the roles of people and the scopes of API keys. */

export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export const SCOPES = ['upload', 'read', 'operate', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** The least role that each needs. */
const NEEDS = {
  /** Runs with their counts and logs, without what was received; feeds; the model. */
  'view-runs': 'viewer',
  /** Send files and control files, and start batches. */
  upload: 'operator',
  /** Approve, cancel, apply again. */
  decide: 'operator',
  /** See data of people: look somebody up, plans with values, values in logs. */
  'see-people': 'operator',
  /** Have a user looked at again, protect one, pin a value. */
  override: 'operator',
  revert: 'admin',
  adopt: 'admin',
  /** Fetch batch files. */
  download: 'admin',
  /** Settings of feeds, control files by hand, quarantine. */
  configure: 'admin',
  /** API keys, people who sign in, the audit log. */
  'manage-access': 'admin',
} as const satisfies Readonly<Record<string, Role>>;

export type Capability = keyof typeof NEEDS;

export function roleMay(role: Role, capability: Capability): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(NEEDS[capability]);
}

const ROLE_OF_SCOPE: Readonly<Record<Exclude<Scope, 'upload'>, Role>> = {
  read: 'viewer',
  operate: 'operator',
  admin: 'admin',
};

/** A key of scope `upload` may upload and nothing else. */
export function scopeMay(scope: Scope, capability: Capability): boolean {
  return scope === 'upload' ? capability === 'upload' : roleMay(ROLE_OF_SCOPE[scope], capability);
}

/** Whoever asks for something over HTTP. */
export interface Principal {
  readonly kind: 'person' | 'key';
  /** For the books: a person's name, or `key NAME`. */
  readonly actor: string;
  /** The only feed that a key is for; null for every feed. */
  readonly feed: string | null;
  may(capability: Capability): boolean;
}

export function mayUseFeed(principal: Principal, feed: string): boolean {
  return principal.feed === null || principal.feed === feed;
}
