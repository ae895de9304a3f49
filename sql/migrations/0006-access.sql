-- Who may use the web page and the interfaces over HTTP, what they did, and what operators set there.

-- People who sign in to the web page.
create table sync.operator (
  id              bigint generated always as identity primary key,
  name            text not null,
  role            text not null check (role in ('viewer', 'operator', 'admin')),
  -- scrypt, with its parameters and salt.
  password        text not null,
  created_at      timestamptz not null default now(),
  -- Wrong passwords in a row, and until when none is looked at because of them.
  failed_sign_ins integer not null default 0,
  locked_until    timestamptz
);

create unique index operator_name on sync.operator (lower(name));

-- A session's token is only known to the browser: here is its SHA-256.
create table sync.session (
  digest      bytea primary key,
  operator_id bigint not null references sync.operator (id) on delete cascade,
  -- What forms of this session send with them.
  csrf        text not null,
  created_at  timestamptz not null default now(),
  seen_at     timestamptz not null default now()
);

create index session_operator on sync.session (operator_id);

-- Keys for scripts. The secret is shown once: here is its SHA-256, which is enough for 256 random bits.
create table sync.api_key (
  id           bigint generated always as identity primary key,
  name         text not null,
  scope        text not null check (scope in ('upload', 'read', 'operate', 'admin')),
  -- Null: every feed.
  feed         text,
  digest       bytea not null unique,
  created_at   timestamptz not null default now(),
  created_by   text not null,
  expires_at   timestamptz,
  revoked_at   timestamptz,
  revoked_by   text,
  -- To the minute.
  last_used_at timestamptz
);

-- Sign-ins, decisions, downloads, looks at people, changes of settings. Only added to.
create table sync.audit (
  id      bigint generated always as identity primary key,
  at      timestamptz not null default clock_timestamp(),
  actor   text not null,
  action  text not null,
  -- What it was done to: a run, a feed, a username, a key.
  subject text,
  details jsonb not null default '{}',
  address text
);

create index audit_subject on sync.audit (subject, id desc);

-- What operators set for a feed wins over the configuration. A setting that is not there is the configuration's.
alter table sync.feed
  add column settings jsonb not null default '{}',
  -- Who set each of them, and when.
  add column settings_origin jsonb not null default '{}';

alter table sync.run
  -- How far the phase under way is, about once a second.
  add column progress jsonb,
  -- Rejected records by reason, counted when the run ends.
  add column rejected_by jsonb not null default '{}';
