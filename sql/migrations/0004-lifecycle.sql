-- What operators decide about single users and runs: overrides, grace for leavers, applying again, taking back.

alter table sync.feed_user
  -- To be planned again in the next run, whatever the record says.
  add column look_again boolean not null default false,
  -- Not in the batch although not blocked: since when, and in how many runs.
  add column missing_since timestamptz,
  add column missing_runs integer not null default 0;

create index feed_user_look_again on sync.feed_user (feed_id) where look_again;
create index feed_user_missing on sync.feed_user (feed_id) where missing_since is not null;

-- What an operator wants for one username, whatever the feed says. Rows are kept: one that is over has an `ended_at`.
create table sync.override (
  id         bigint generated always as identity primary key,
  username   text collate "C" not null,
  kind       text not null check (kind in ('pin', 'protect')),
  -- The name of `user` that is pinned.
  name       text check ((kind = 'pin') = (name is not null)),
  value      jsonb,
  reason     text not null,
  made_by    text not null,
  created_at timestamptz not null default now(),
  until      timestamptz,
  ended_at   timestamptz
);

create unique index override_one on sync.override (username, kind, coalesce(name, '')) where ended_at is null;

alter table sync.run
  -- The run whose files are applied again, or whose changes are taken back.
  add column of_run bigint references sync.run (id);

-- A batch that is being taken in.
create unique index run_one_upload on sync.run (feed_id) where status = 'uploading';
