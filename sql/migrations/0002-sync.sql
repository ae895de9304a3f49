-- The engine's own books. Private: nothing outside the product reads them.

comment on schema sync is 'Private to user-sync. Applications read the schema directory.';

-- One row a feed. The lease says which process may run it; its token only grows and is checked inside every
-- transaction that applies something, so that a process that lost the lease can write nothing more.
create table sync.feed (
  id               smallint generated always as identity primary key,
  name             text not null unique,
  control_id       bigint,
  lease_holder     text,
  lease_token      bigint not null default 0,
  lease_expires_at timestamptz,
  created_at       timestamptz not null default now()
);

create table sync.control_file (
  id         bigint generated always as identity primary key,
  feed_id    smallint not null references sync.feed (id),
  digest     text not null,
  content    text not null,
  source     text not null,
  created_at timestamptz not null default now()
);

create index control_file_feed on sync.control_file (feed_id, id desc);

alter table sync.feed add foreign key (control_id) references sync.control_file (id);

create table sync.run (
  id                bigint generated always as identity primary key,
  feed_id           smallint not null references sync.feed (id),
  status            text not null default 'uploading' check (status in
                      ('uploading', 'ready', 'planning', 'held', 'applying', 'complete', 'failed', 'cancelled')),
  kind              text not null default 'batch' check (kind in ('batch', 'reapply', 'revert')),
  source            text not null,
  dry_run           boolean not null default false,
  force             boolean not null default false,
  control_id        bigint references sync.control_file (id),
  model_digest      text,
  -- What the sync knew of the directory when it planned: directory.version then.
  planned_version   bigint,
  -- Set when all of the batch was taken in and nothing was withheld: the batch that the next one is compared with.
  applied           boolean not null default false,
  outcome           text check (outcome in ('applied', 'nothing-new', 'nothing-to-change', 'dry-run')),
  counts            jsonb not null default '{}',
  -- Records that gave a value, by name: what the field-emptied guard compares.
  value_counts      jsonb not null default '{}',
  guards            jsonb not null default '[]',
  timings           jsonb not null default '{}',
  error_count       bigint not null default 0,
  failure_code      text,
  failure_message   text,
  approved_by       text,
  approved_at       timestamptz,
  approval_reason   text,
  without_blocks    boolean not null default false,
  cancel_requested  boolean not null default false,
  -- The run's place in directory.changes: given when it ends, so that followers see changes in order.
  publication       bigint unique,
  created_at        timestamptz not null default now(),
  started_at        timestamptz,
  finished_at       timestamptz
);

create index run_feed on sync.run (feed_id, id desc);
create unique index run_one_active on sync.run (feed_id) where status in ('planning', 'applying');

create sequence sync.publication;

create table sync.run_file (
  run_id            bigint not null references sync.run (id) on delete cascade,
  name              text not null,
  digest            text not null,
  size_bytes        bigint not null,
  original_filename text not null,
  source            text not null,
  received_at       timestamptz not null default now(),
  primary key (run_id, name)
);

create table sync.run_transition (
  run_id      bigint not null references sync.run (id) on delete cascade,
  at          timestamptz not null default clock_timestamp(),
  from_status text,
  to_status   text not null,
  actor       text not null,
  note        text
);

create index run_transition_run on sync.run_transition (run_id);

-- Everyone whom a feed brought, and what was last written for them. Nothing here changes for a user who is unchanged.
-- The spare room lets updates stay on their page; none of the columns that change is indexed. Instead of a foreign key,
-- which would cost a look-up for each user added, a trigger forgets users whose account somebody deletes.
create table sync.feed_user (
  username    text collate "C" primary key,
  feed_id     smallint not null,
  account_id  bigint not null unique,
  digest      uuid,
  in_feed     boolean not null,
  in_error    boolean not null default false,
  -- The run in which the user last came into or left the feed, and the last run that changed anything.
  since_run   bigint not null,
  changed_run bigint not null
) with (fillfactor = 85);

create function sync.forget_accounts() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  delete from sync.feed_user using gone where feed_user.account_id = gone.id;
  return null;
end
$$;

create trigger forget_accounts after delete on directory.account
  referencing old table as gone for each statement execute function sync.forget_accounts();

create function sync.forget_all_accounts() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  delete from sync.feed_user;
  return null;
end
$$;

create trigger forget_all_accounts after truncate on directory.account
  for each statement execute function sync.forget_all_accounts();

create index feed_user_in_error on sync.feed_user (feed_id) where in_error;

-- The record last taken in for a user: only written when what it maps to changed, or when it was rejected.
create table sync.received (
  username    text collate "C" primary key,
  feed_id     smallint not null,
  run_id      bigint not null,
  file        text not null,
  record      integer not null,
  line        integer not null,
  byte        bigint not null,
  accepted    boolean not null,
  raw         text not null
);

-- A run's plan, one row a user to change, and after it was applied the change log. Rows are written once, by the plan;
-- applying them marks their chunk.
create table sync.change (
  run_id     bigint not null,
  ordinal    integer not null,
  kind       text not null check (kind in ('add', 'update', 'block', 'unblock')),
  username   text collate "C" not null,
  account_id bigint,
  digest     uuid,
  -- Set when the row was planned but not applied: rejected by the database, withheld, or the run ended before.
  withheld   boolean not null default false,
  before     jsonb,
  after      jsonb not null,
  primary key (run_id, ordinal)
) with (toast_tuple_target = 4080);

create index change_username on sync.change (username, run_id);

-- A range of a run's plan that is applied in one transaction.
create table sync.chunk (
  run_id        bigint not null references sync.run (id) on delete cascade,
  first_ordinal integer not null,
  last_ordinal  integer not null,
  is_block      boolean not null,
  applied_at    timestamptz,
  primary key (run_id, first_ordinal)
);

create table sync.run_log (
  id       bigint generated always as identity primary key,
  run_id   bigint not null,
  at       timestamptz not null default clock_timestamp(),
  level    text not null check (level in ('info', 'warn', 'error')),
  code     text,
  message  text not null,
  username text,
  file     text,
  record   integer,
  line     integer,
  byte     bigint,
  source   text,
  value    text
);

create index run_log_run on sync.run_log (run_id, id);
create index run_log_username on sync.run_log (username) where username is not null;

-- The classification objects of the model that are in the directory.
create table sync.model_object (
  behaviour text primary key,
  ref       bigint not null references directory.object (ref) on delete cascade
);

create table sync.model (
  only_one     boolean primary key default true check (only_one),
  digest       text not null,
  installed_at timestamptz not null default now()
);
