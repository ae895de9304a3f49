-- References to people whom the run itself adds: their profiles have refs since the plan. What is left to do is to take
-- back those to people who did not come after all: refused by the database, or the run ended before.

-- name: mark-awaiting
-- Before run $1 is planned again: users who were written with such a reference are looked at again.
update sync.feed_user set in_error = true
from sync.change
join sync.chunk on chunk.run_id = change.run_id and change.ordinal between chunk.first_ordinal and chunk.last_ordinal
where change.run_id = $1::bigint and change.awaited is not null and not change.withheld
  and chunk.applied_at is not null
  and feed_user.username = change.username
  and exists (select from unnest(change.awaited) as awaited (ref)
              where not exists (select from directory.object where object.ref = awaited.ref))

-- name: take-back-references
-- When run $1 ends: the values go, from the directory and from the change log, and the users are in error, so that the
-- next run tries again.
with dangling as materialized (
  select change.ordinal, change.username, change.after, array_agg(awaited.ref::text) as refs
  from sync.change
  join sync.chunk on chunk.run_id = change.run_id and change.ordinal between chunk.first_ordinal and chunk.last_ordinal
  cross join lateral unnest(change.awaited) as awaited (ref)
  where change.run_id = $1::bigint and change.awaited is not null and not change.withheld
    and chunk.applied_at is not null
    and not exists (select from directory.object where object.ref = awaited.ref)
  group by change.ordinal, change.username, change.after
),
written as (
  select account.profile_ref as ref, dangling.refs
  from dangling
  join sync.feed_user on feed_user.username = dangling.username
  join directory.account on account.id = feed_user.account_id
  union all
  select object.key::bigint, dangling.refs
  from dangling cross join lateral jsonb_each(dangling.after -> 'dependents') as object
),
taken_back as (
  update directory.object
  set attributes = sync.without_refs(object.attributes, written.refs), updated_at = now()
  from written where object.ref = written.ref
),
unlogged as (
  update sync.change set after = sync.without_refs(change.after, dangling.refs)
  from dangling where change.run_id = $1::bigint and change.ordinal = dangling.ordinal
),
marked as (
  update sync.feed_user set in_error = true
  from dangling where feed_user.username = dangling.username
)
insert into sync.run_log (run_id, level, code, message, username)
select $1::bigint, 'error', 'unknown-reference',
       'The record refers to somebody whom this run should have added and did not: the value is not set, until a later '
       'run adds that person.',
       dangling.username
from dangling
