-- Applying a range of the plan in one transaction. $1 run id, $2 and $3 first and last ordinal.
-- Everything is read from the plan: its `after` holds absolute values, so that applying twice is applying once.

-- name: open-chunks
-- $2: leave blocks out.
select first_ordinal, last_ordinal, is_block from sync.chunk
where run_id = $1::bigint and applied_at is null and not ($2::boolean and is_block)
order by first_ordinal

-- name: claim-chunk
select applied_at is null as open from sync.chunk
where run_id = $1::bigint and first_ordinal = $2::integer and last_ordinal = $3::integer
for update

-- name: apply-adds
-- With what was received for them, numbered in the order of the range. $4 feed id, $5 file names by number.
with planned as materialized (
  select change.username, change.digest, change.after, change.profile_ref,
         nextval('directory.account_id_seq') as account_id,
         stage.file, stage.record, stage.line, stage.byte, stage.raw, stage.record_digest, stage.given
  from sync.change
  left join {{stage}} as stage on stage.username = change.username
  where change.run_id = $1::bigint and change.ordinal between $2::integer and $3::integer
    and change.kind = 'add' and not change.withheld
  order by change.ordinal
),
profile as (
  insert into directory.object (ref, types, attributes)
  select profile_ref, array(select jsonb_array_elements_text(coalesce(after -> 'types', '["std:type:person"]'))),
         after -> 'profile'
  from planned
),
account as (
  insert into directory.account (id, email, title, name_first, name_last, tags, dictionaries, profile_ref)
  select account_id, after -> 'user' ->> 'email', after -> 'user' ->> 'title', after -> 'user' ->> 'nameFirst',
         after -> 'user' ->> 'nameLast', after -> 'tags', coalesce(after -> 'dictionaries', '{}'), profile_ref
  from planned
),
member as (
  insert into directory.membership (account_id, group_code)
  select account_id, jsonb_array_elements_text(after -> 'user' -> 'groups')
  from planned
),
received as (
  insert into sync.received (username, feed_id, run_id, file, record, line, byte, accepted, raw)
  select username, $4::smallint, $1::bigint, ($5::text[])[file + 1], record, line, byte, true, raw
  from planned where raw is not null
  on conflict (username) do update
  set feed_id = excluded.feed_id, run_id = excluded.run_id, file = excluded.file, record = excluded.record,
      line = excluded.line, byte = excluded.byte, accepted = true, raw = excluded.raw
)
insert into sync.feed_user
  (username, feed_id, account_id, digest, record_digest, given, in_feed, since_run, changed_run)
select username, $4::smallint, account_id, digest, record_digest, given, true, $1::bigint, $1::bigint
from planned

-- name: restore-profiles
-- Gives a profile to accounts that lost theirs.
with missing as (
  select change.account_id, change.profile_ref
  from sync.change
  join directory.account on account.id = change.account_id
  where change.run_id = $1::bigint and change.ordinal between $2::integer and $3::integer
    and change.kind in ('update', 'unblock') and not change.withheld
    and change.profile_ref is not null and account.profile_ref is null
),
profile as (
  insert into directory.object (ref) select profile_ref from missing
)
update directory.account set profile_ref = missing.profile_ref
from missing where account.id = missing.account_id

-- name: apply-profiles
update directory.object
set attributes = (object.attributes - array(select jsonb_object_keys(planned.before -> 'profile')))
                 || coalesce(planned.after -> 'profile', '{}'),
    types = case when planned.after ? 'types'
                 then array(select jsonb_array_elements_text(planned.after -> 'types'))
                 else object.types end,
    updated_at = now()
from sync.change as planned
join directory.account on account.id = planned.account_id
where planned.run_id = $1::bigint and planned.ordinal between $2::integer and $3::integer
  and planned.kind <> 'add' and not planned.withheld
  and (planned.before ? 'profile' or planned.after ?| array['profile', 'types'])
  and object.ref = account.profile_ref

-- name: apply-new-dependents
-- Objects that belong to a user: those that the change makes. A trigger notes whose they are.
insert into directory.object (ref, types, attributes, origin)
select object.key::bigint, array[object.value ->> 'type'], object.value -> 'attributes', object.value ->> 'origin'
from sync.change as planned
cross join lateral jsonb_each(planned.after -> 'dependents') as object
where planned.run_id = $1::bigint and planned.ordinal between $2::integer and $3::integer and not planned.withheld
  and object.value ? 'type'
on conflict (ref) do nothing

-- name: apply-dependents
-- And those that were there before.
update directory.object
set attributes = (object.attributes
                   - array(select jsonb_object_keys(planned.before -> 'dependents' -> changed.key -> 'attributes')))
                 || (changed.value -> 'attributes'),
    updated_at = now()
from sync.change as planned
cross join lateral jsonb_each(planned.after -> 'dependents') as changed
where planned.run_id = $1::bigint and planned.ordinal between $2::integer and $3::integer and not planned.withheld
  and not changed.value ?| array['type', 'removed']
  and object.ref = changed.key::bigint

-- name: remove-dependents
-- Objects that a run made which is taken back.
delete from directory.object using sync.change as planned
cross join lateral jsonb_each(planned.after -> 'dependents') as changed
where planned.run_id = $1::bigint and planned.ordinal between $2::integer and $3::integer and not planned.withheld
  and changed.value ? 'removed'
  and object.ref = changed.key::bigint

-- name: apply-accounts
update directory.account
set is_active  = coalesce((planned.after -> 'user' ->> 'isActive')::boolean, account.is_active),
    email      = coalesce(planned.after -> 'user' ->> 'email', account.email),
    title      = case when planned.after -> 'user' ? 'title'
                      then planned.after -> 'user' ->> 'title' else account.title end,
    name_first = case when planned.after -> 'user' ? 'nameFirst'
                      then planned.after -> 'user' ->> 'nameFirst' else account.name_first end,
    name_last  = case when planned.after -> 'user' ? 'nameLast'
                      then planned.after -> 'user' ->> 'nameLast' else account.name_last end,
    tags       = (account.tags - array(select jsonb_object_keys(planned.before -> 'tags')))
                 || coalesce(planned.after -> 'tags', '{}'),
    dictionaries = (account.dictionaries - array(select jsonb_object_keys(planned.before -> 'dictionaries')))
                   || coalesce(planned.after -> 'dictionaries', '{}'),
    updated_at = now()
from sync.change as planned
where planned.run_id = $1::bigint and planned.ordinal between $2::integer and $3::integer
  and planned.kind <> 'add' and not planned.withheld
  and (planned.before ?| array['tags', 'dictionaries'] or planned.after ?| array['user', 'tags', 'dictionaries'])
  and account.id = planned.account_id

-- name: apply-departures
-- Memberships of managed groups that end.
delete from directory.membership using sync.change as planned
where planned.run_id = $1::bigint and planned.ordinal between $2::integer and $3::integer
  and planned.kind <> 'add' and not planned.withheld
  and planned.before -> 'user' ? 'groups'
  and membership.account_id = planned.account_id
  and planned.before -> 'user' -> 'groups' ? membership.group_code
  and not planned.after -> 'user' -> 'groups' ? membership.group_code

-- name: apply-arrivals
-- Memberships of managed groups that begin.
insert into directory.membership (account_id, group_code)
select planned.account_id, jsonb_array_elements_text(planned.after -> 'user' -> 'groups')
from sync.change as planned
where planned.run_id = $1::bigint and planned.ordinal between $2::integer and $3::integer
  and planned.kind <> 'add' and not planned.withheld
  and planned.after -> 'user' ? 'groups'
on conflict do nothing

-- name: apply-feed-state
update sync.feed_user
set digest        = coalesce(planned.digest, feed_user.digest),
    record_digest = case when planned.digest is null then feed_user.record_digest else stage.record_digest end,
    given         = case when planned.digest is null then feed_user.given else stage.given end,
    in_feed       = planned.kind <> 'block',
    in_error      = false,
    look_again    = false,
    since_run     = case when feed_user.in_feed = (planned.kind <> 'block') then feed_user.since_run else $1::bigint end,
    changed_run   = $1::bigint
from sync.change as planned
left join {{stage}} as stage on stage.username = planned.username
where planned.run_id = $1::bigint and planned.ordinal between $2::integer and $3::integer
  and planned.kind <> 'add' and not planned.withheld
  and feed_user.username = planned.username

-- name: apply-received
-- What was received for those who changed; with those who were added it is kept already. $4 feed id, $5 file names by
-- number.
insert into sync.received (username, feed_id, run_id, file, record, line, byte, accepted, raw)
select stage.username, $4::smallint, $1::bigint, ($5::text[])[stage.file + 1], stage.record, stage.line, stage.byte,
       true, stage.raw
from sync.change as planned
join {{stage}} as stage on stage.username = planned.username
where planned.run_id = $1::bigint and planned.ordinal between $2::integer and $3::integer
  and planned.kind in ('update', 'unblock') and not planned.withheld and stage.raw is not null
on conflict (username) do update
set feed_id = excluded.feed_id, run_id = excluded.run_id, file = excluded.file, record = excluded.record,
    line = excluded.line, byte = excluded.byte, accepted = true, raw = excluded.raw

-- name: close-chunk
update sync.chunk set applied_at = clock_timestamp()
where run_id = $1::bigint and first_ordinal = $2::integer and last_ordinal = $3::integer

-- name: split-chunk
-- Halves a range that the database refused, so that the record to blame can be found.
with whole as (
  delete from sync.chunk
  where run_id = $1::bigint and first_ordinal = $2::integer and last_ordinal = $3::integer and applied_at is null
  returning is_block
),
half as (
  select ordinal, is_block, ntile(2) over (order by ordinal) as part
  from sync.change, whole
  where run_id = $1::bigint and ordinal between $2::integer and $3::integer
)
insert into sync.chunk (run_id, first_ordinal, last_ordinal, is_block)
select $1::bigint, min(ordinal), max(ordinal), is_block from half group by part, is_block
returning first_ordinal, last_ordinal, is_block

-- name: reject-change
-- The one change that the database refuses: withheld, and said so in the run's log. $3 message, $4 file names.
with refused as (
  update sync.change set withheld = true
  where run_id = $1::bigint and ordinal = $2::integer
  returning username
)
insert into sync.run_log (run_id, level, code, message, username, file, record, line, byte)
select $1::bigint, 'error', 'database', $3::text, refused.username,
       ($4::text[])[stage.file + 1], stage.record, stage.line, stage.byte
from refused left join {{stage}} as stage on stage.username = refused.username

-- name: settle-digests
-- Users whose record differs without anything to change: remembers the new digest. The record last taken in may ask for
-- something else, should it come again.
update sync.feed_user
set digest = stage.digest, in_error = false, look_again = false,
    record_digest = case when feed_user.digest = stage.digest then feed_user.record_digest end
from {{stage}} as stage
where stage.username = feed_user.username and stage.digest is not null
  and feed_user.feed_id = $2::smallint and feed_user.in_feed
  and stage.mapped is not null
  and (feed_user.digest is distinct from stage.digest or feed_user.in_error or feed_user.look_again)
  and not exists (select from sync.change
                  where change.run_id = $1::bigint and change.username = stage.username and change.withheld)

-- name: settle-records
-- Keeps records that differ from those last taken in although they are mapped to the same, so that they are recognised next
-- time: all of them when records are digested with something else than in the last batch ($4), else all or none when they are
-- more than $5, as a source may put into each record what is new every time. $1 run id, $2 feed id, $3 file names by number.
with differing as materialized (
  select stage.seq, stage.username
  from {{stage}} as stage
  join sync.feed_user on feed_user.username = stage.username
  where stage.mapped is not null and stage.record_digest is not null
    and feed_user.feed_id = $2::smallint and feed_user.in_feed and feed_user.digest = stage.digest
    and feed_user.record_digest is distinct from stage.record_digest
),
kept as (
  select stage.username, stage.file, stage.record, stage.line, stage.byte, stage.record_digest, stage.given, stage.raw
  from differing
  join {{stage}} as stage on stage.username = differing.username and stage.seq = differing.seq
  where (select count(*) from differing) <= $5::integer
     or (select record_seed from sync.run where id = $1::bigint) is distinct from $4::text
),
digested as (
  update sync.feed_user set record_digest = kept.record_digest, given = kept.given
  from kept where feed_user.username = kept.username
)
insert into sync.received (username, feed_id, run_id, file, record, line, byte, accepted, raw)
select kept.username, $2::smallint, $1::bigint, ($3::text[])[kept.file + 1], kept.record, kept.line, kept.byte, true, kept.raw
from kept
left join sync.received on received.username = kept.username
where received.accepted is distinct from true or received.raw <> kept.raw
on conflict (username) do update
set feed_id = excluded.feed_id, run_id = excluded.run_id, file = excluded.file, record = excluded.record,
    line = excluded.line, byte = excluded.byte, accepted = true, raw = excluded.raw

-- name: settle-errors
-- Users in error are planned again in the next run even when their record is the same. What is kept of those who were
-- rejected is not what their account was made of.
update sync.feed_user
set in_error = true,
    record_digest = case when stage.digest is not null then feed_user.record_digest end
from {{stage}} as stage
where stage.username = feed_user.username and feed_user.feed_id = $1::smallint
  and (stage.in_error and not feed_user.in_error
       or stage.digest is null and (not feed_user.in_error or feed_user.record_digest is not null))

-- name: settle-missing
-- Users of feed $1 who are in the feed and not in the batch are leaving: one more run that they are missing in.
update sync.feed_user
set missing_runs = missing_runs + 1, missing_since = coalesce(missing_since, now())
where feed_id = $1::smallint and in_feed
  and not exists (select from {{stage}} as stage where stage.username = feed_user.username)

-- name: settle-returned
-- Users of feed $1 who were leaving and are in the batch again, or are blocked now, are not leaving any more.
update sync.feed_user set missing_runs = 0, missing_since = null
where feed_id = $1::smallint and missing_since is not null
  and (not in_feed or exists (select from {{stage}} as stage where stage.username = feed_user.username))

-- name: settle-received
-- What was received for those whom earlier attempts at run $1 changed, as far as it was not kept. $2 feed id, $3 file names.
insert into sync.received (username, feed_id, run_id, file, record, line, byte, accepted, raw)
select stage.username, $2::smallint, $1::bigint, ($3::text[])[stage.file + 1], stage.record, stage.line, stage.byte,
       true, stage.raw
from sync.chunk
join sync.change on change.run_id = chunk.run_id and change.ordinal between chunk.first_ordinal and chunk.last_ordinal
join {{stage}} as stage on stage.username = change.username
left join sync.received on received.username = change.username
where chunk.run_id = $1::bigint and chunk.applied_at is not null and not change.withheld
  and change.kind <> 'block' and stage.digest is not null and stage.raw is not null
  and received.run_id is distinct from $1::bigint
on conflict (username) do update
set feed_id = excluded.feed_id, run_id = excluded.run_id, file = excluded.file, record = excluded.record,
    line = excluded.line, byte = excluded.byte, accepted = true, raw = excluded.raw

-- name: settle-rejected
-- Keeps what was received for rejected records. $1 run id, $2 feed id, $3 file names by number.
insert into sync.received (username, feed_id, run_id, file, record, line, byte, accepted, raw)
select distinct on (stage.username)
       stage.username, $2::smallint, $1::bigint, ($3::text[])[stage.file + 1], stage.record, stage.line, stage.byte,
       false, stage.raw
from {{stage}} as stage
left join sync.feed_user on feed_user.username = stage.username
where stage.digest is null and stage.raw is not null and (feed_user.username is null or feed_user.feed_id = $2::smallint)
order by stage.username, stage.seq
on conflict (username) do update
set feed_id = excluded.feed_id, run_id = excluded.run_id, file = excluded.file, record = excluded.record,
    line = excluded.line, byte = excluded.byte, accepted = false, raw = excluded.raw

-- name: withhold-unapplied
-- At the end of run $1: what was planned but not applied is no part of the change log. A plan is cut into chunks as a whole,
-- so what was not cut yet is behind all chunks. `offset 0` and the array have each range looked up in the index, however
-- many changes Postgres expects: mostly there is nothing to mark among all that was applied.
with unapplied as materialized (
  select first_ordinal, last_ordinal from sync.chunk where run_id = $1::bigint and applied_at is null
  union all
  select coalesce(max(last_ordinal) + 1, 0), 2147483647 from sync.chunk where run_id = $1::bigint
)
update sync.change set withheld = true
where run_id = $1::bigint and ordinal = any (array(
  select planned.ordinal
  from unapplied
  cross join lateral (
    select change.ordinal from sync.change
    where change.run_id = $1::bigint
      and change.ordinal between unapplied.first_ordinal and unapplied.last_ordinal
    offset 0
  ) as planned
))

-- name: count-applied
-- `offset 0` makes each chunk look up its own range.
select planned.kind, count(*) as count
from sync.chunk
cross join lateral (
  select change.kind from sync.change
  where change.run_id = $1::bigint and not change.withheld and not change.repeated
    and change.ordinal between chunk.first_ordinal and chunk.last_ordinal
  offset 0
) as planned
where chunk.run_id = $1::bigint and chunk.applied_at is not null
group by planned.kind
