-- What daemons need: who looks after a feed, batches that are put together from single files, what waits to be taken up.

alter table sync.feed
  -- Which process takes files in, starts runs and raises alarms for the feed; another one stands by.
  add column duty_holder text,
  add column duty_token bigint not null default 0,
  add column duty_expires_at timestamptz,
  -- The deadline for which the alarm 'no batch' was last raised.
  add column alarmed_for timestamptz;

alter table sync.run
  -- Put together from files that arrive one by one.
  add column collected boolean not null default false,
  -- To be taken up by a daemon; a run that is not belongs to the process that made it.
  add column queued boolean not null default false;

alter table sync.change
  -- The run had changed the user before, in an attempt that was interrupted: counts are of users.
  add column repeated boolean not null default false;

create index run_to_take_up on sync.run (feed_id, id) where status in ('ready', 'held', 'planning', 'applying');
