-- Records that are the same as the one last taken in for their user are recognised before they are mapped.

alter table sync.feed_user
  -- Digest of the record in sync.received, and of all that decides what it is mapped to. Null: to be mapped, whatever it is.
  add column record_digest uuid,
  -- Names for which that record gives a value, as bits, for the guard that compares how many records give one.
  add column given bytea;

alter table sync.run
  -- What the records of the batch were digested with.
  add column record_seed text,
  -- Records that were the same as last time.
  add column recognised  integer;

-- Plans that wait for approval have none of this: they are made again.
update sync.run set planned_version = null where status = 'held';
