-- A dropped file is told until it is gone from its directory, also by the process that comes after one that was killed. What
-- is here is on record, and not recorded again.

create table sync.dropped_file (
  feed_id     smallint not null references sync.feed (id),
  -- The name by which a control file lists it; `_control` for a control file.
  name        text not null,
  digest      text not null,
  -- By what the file system tells it from every other file of that name.
  original    text not null,
  recorded_at timestamptz not null default now(),
  primary key (feed_id, name, digest, original)
);
