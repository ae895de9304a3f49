-- The plan: what to change so that the directory agrees with the batch. Nothing here writes to the directory.
-- $1 is the run's id, $2 the feed's, unless said otherwise. `base` added to a record's seq gives the ordinal of its change.

-- name: index-stage
create index on {{stage}} (username)

-- name: analyze-stage
analyze {{stage}}

-- name: clear-plan
-- Forgets what was planned but not applied by an earlier attempt of run $1.
with unapplied as (
  delete from sync.chunk where run_id = $1::bigint and applied_at is null
  returning first_ordinal, last_ordinal
)
delete from sync.change using unapplied
where change.run_id = $1::bigint and change.ordinal between unapplied.first_ordinal and unapplied.last_ordinal

-- name: plan-base
-- The first ordinal that no earlier attempt of run $1 used.
select coalesce(max(ordinal) + 1, 0) as base from sync.change where run_id = $1::bigint

-- name: reject-duplicates
-- The first record of a username counts, those after it are rejected. $2: file names by number.
with repeated as (
  select username from {{stage}} group by username having count(*) > 1
),
placed as (
  select stage.seq, stage.username, stage.file, stage.record, stage.line, stage.byte,
         first_value(stage.seq) over same_user as first_seq,
         first_value(stage.file) over same_user as first_file,
         first_value(stage.record) over same_user as first_record,
         first_value(stage.line) over same_user as first_line
  from {{stage}} as stage
  join repeated on repeated.username = stage.username
  window same_user as (partition by stage.username order by stage.seq)
),
removed as (
  delete from {{stage}} as stage using placed
  where stage.username = placed.username and stage.seq = placed.seq and placed.seq <> placed.first_seq
  returning placed.*
),
logged as (
  insert into sync.run_log (run_id, level, code, message, username, file, record, line, byte)
  select $1::bigint, 'error', 'duplicate-username',
         format('Username appears again: %s record %s (line %s) was taken, %s record %s (line %s) was not. '
                'Make the source send each user once.',
                ($2::text[])[first_file + 1], first_record, first_line, ($2::text[])[file + 1], record, line),
         username, ($2::text[])[file + 1], record, line, byte
  from removed
)
select count(*) as rejected from removed

-- name: other-feeds-have-users
select exists (select from sync.feed_user where feed_id <> $1::smallint) as others

-- name: reject-other-feed
-- A user belongs to the feed that created it. $3: file names by number.
with refused as (
  update {{stage}} as stage set digest = null
  from sync.feed_user
  where feed_user.username = stage.username and feed_user.feed_id <> $2::smallint
  returning stage.*, feed_user.feed_id as owner
),
logged as (
  insert into sync.run_log (run_id, level, code, message, username, file, record, line, byte)
  select $1::bigint, 'error', 'other-feed',
         format('The user belongs to feed "%s", which created it. Leave it out of this feed.', feed.name),
         refused.username, ($3::text[])[refused.file + 1], refused.record, refused.line, refused.byte
  from refused join sync.feed on feed.id = refused.owner
  where refused.digest is null
)
select count(*) as rejected from refused

-- name: classify
-- One pass that says how much of each kind of work there is. $1 feed id, $2 force.
with staged as (
  select count(*) as staged,
         count(*) filter (where stage.digest is null) as rejected,
         count(*) filter (where stage.digest is not null and feed_user.username is null) as added,
         count(*) filter (where stage.digest is not null and feed_user.feed_id = $1::smallint
                            and (not feed_user.in_feed or feed_user.in_error or $2::boolean
                                 or feed_user.digest is distinct from stage.digest)) as candidates,
         count(*) filter (where feed_user.feed_id = $1::smallint and feed_user.in_feed) as still_there
  from {{stage}} as stage
  left join sync.feed_user on feed_user.username = stage.username
)
select staged.*,
       (select count(*) from sync.feed_user where feed_id = $1::smallint and in_feed) as in_feed
from staged

-- name: make-candidates
-- The users to look at, set apart and counted: what joins them with the directory is then planned for their number.
create temporary table candidate (
  seq        integer not null,
  account_id bigint,
  in_feed    boolean
) on commit drop

-- name: find-candidates
-- Users that are new (no account), whose record differs, who come back, or were in error. $1 feed id; $2: all of them, as
-- an operator asked.
insert into candidate (seq, account_id, in_feed)
select stage.seq, feed_user.account_id, feed_user.in_feed
from {{stage}} as stage
left join sync.feed_user on feed_user.username = stage.username
where stage.digest is not null
  and (feed_user.username is null
       or feed_user.feed_id = $1::smallint
          and (not feed_user.in_feed or feed_user.in_error or $2::boolean
               or feed_user.digest is distinct from stage.digest))

-- name: analyze-candidates
analyze candidate

-- name: plan-adds
-- $2 base.
insert into sync.change (run_id, ordinal, kind, username, digest, after)
select $1::bigint, $2::integer + stage.seq, 'add', stage.username, stage.digest, stage.mapped::jsonb - 'drop'
from {{stage}} as stage
join candidate on candidate.seq = stage.seq
where candidate.account_id is null

-- name: plan-changes
-- Candidates that have an account. $2 base. before and after hold only what differs. An account that somebody deactivated
-- by hand stays so, unless the user comes back. `offset 0` keeps Postgres from computing a column anew wherever it is used.
with given as (
  select stage.seq, stage.username, stage.digest, stage.mapped::jsonb as given,
         candidate.account_id, candidate.in_feed
  from candidate
  join {{stage}} as stage on stage.seq = candidate.seq
  where candidate.account_id is not null
  offset 0
),
present as (
  select given.*,
         jsonb_build_object(
           'isActive', account.is_active, 'email', account.email, 'title', account.title,
           'nameFirst', account.name_first, 'nameLast', account.name_last,
           'groups', (select coalesce(jsonb_agg(user_group.code order by user_group.position), '[]')
                      from directory.membership
                      join directory.user_group on user_group.code = membership.group_code and user_group.managed
                      where membership.account_id = account.id)) as old_user,
         account.tags as old_tags,
         coalesce(to_jsonb(object.types), '[]') as old_types,
         -- For who comes back through a control file that says nothing of groups.
         case when not in_feed and not given ? 'types' then
           (select coalesce(jsonb_agg(user_group.type_active order by user_group.position), '["std:type:person"]')
            from directory.membership
            join directory.user_group on user_group.code = membership.group_code and user_group.managed
            where membership.account_id = account.id and user_group.type_active is not null) end as active_types,
         coalesce(object.attributes, '{}') as old_profile
  from given
  join directory.account on account.id = given.account_id
  left join directory.object on object.ref = account.profile_ref
  offset 0
),
target as (
  select present.*,
         old_user || (given -> 'user')
           || case when in_feed then '{}'::jsonb else '{"isActive": true}'::jsonb end as new_user,
         (old_tags || (given -> 'tags'))
           - array(select jsonb_array_elements_text(given -> 'drop' -> 'tags')) as new_tags,
         coalesce(given -> 'types', case when in_feed then old_types else active_types end) as new_types,
         sync.merged_profile(old_profile, given -> 'profile', given -> 'drop' -> 'profile') as new_profile
  from present
  offset 0
)
insert into sync.change (run_id, ordinal, kind, username, account_id, digest, before, after)
select $1::bigint, $2::integer + target.seq, case when in_feed then 'update' else 'unblock' end,
       target.username, target.account_id, target.digest,
       coalesce(difference.before, '{}'), coalesce(difference.after, '{}')
from target
cross join lateral (
  select jsonb_object_agg(section, old) filter (where old is not null) as before,
         jsonb_object_agg(section, new) filter (where new is not null) as after
  from (
    select 'user' as section,
           (select jsonb_object_agg(key, value) from jsonb_each(old_user)
            where value is distinct from new_user -> key) as old,
           (select jsonb_object_agg(key, value) from jsonb_each(new_user)
            where value is distinct from old_user -> key) as new
    where old_user <> new_user
    union all
    select 'tags',
           (select jsonb_object_agg(key, value) from jsonb_each(old_tags)
            where value is distinct from new_tags -> key),
           (select jsonb_object_agg(key, value) from jsonb_each(new_tags)
            where value is distinct from old_tags -> key)
    where old_tags <> new_tags
    union all
    select 'types', old_types, new_types where old_types <> new_types
    union all
    select 'profile',
           (select jsonb_object_agg(key, value) from jsonb_each(old_profile)
            where value is distinct from new_profile -> key),
           (select jsonb_object_agg(key, value) from jsonb_each(new_profile)
            where value is distinct from old_profile -> key)
    where old_profile <> new_profile
  ) as section_difference
) as difference
where not in_feed or difference.before is not null or difference.after is not null

-- name: plan-blocks
-- Users of the feed who are not in the batch, not even as a rejected record. A blocked user's profile becomes the past
-- type of the managed group they belong to, the last in the model's order; memberships stay. $3: first ordinal; $4: rows of
-- the batch: a staging table that a crash of Postgres emptied must not block everybody.
insert into sync.change (run_id, ordinal, kind, username, account_id, before, after)
select $1::bigint, $3::integer + (row_number() over (order by feed_user.username))::integer - 1, 'block',
       feed_user.username, feed_user.account_id,
       jsonb_build_object('user', jsonb_build_object('isActive', account.is_active))
         || case when past.types is null or object.ref is null or past.types = object.types then '{}'
            else jsonb_build_object('types', object.types) end,
       jsonb_build_object('user', jsonb_build_object('isActive', false))
         || case when past.types is null or object.ref is null or past.types = object.types then '{}'
            else jsonb_build_object('types', past.types) end
from sync.feed_user
join directory.account on account.id = feed_user.account_id
left join directory.object on object.ref = account.profile_ref
left join lateral (
  select array[user_group.type_past] as types
  from directory.membership
  join directory.user_group on user_group.code = membership.group_code
  where membership.account_id = account.id and user_group.managed and user_group.type_past is not null
  order by user_group.position desc
  limit 1
) as past on true
where feed_user.feed_id = $2::smallint
  and feed_user.in_feed
  and (select count(*) from {{stage}}) = $4::bigint
  and not exists (select from {{stage}} as stage where stage.username = feed_user.username)

-- name: hand-made-accounts-exist
select exists (
  select from directory.account
  where not exists (select from sync.feed_user where feed_user.account_id = account.id)
) as exist

-- name: reject-not-owned
-- Two accounts with one e-mail address, one of them made by hand, would let a feed take over an account that it does not
-- own. $2 base, $3 file names by number.
with hand_made as (
  select lower(account.email) as email
  from directory.account
  where not exists (select from sync.feed_user where feed_user.account_id = account.id)
),
refused as (
  delete from sync.change using hand_made
  where change.run_id = $1::bigint and change.ordinal >= $2::integer
    and lower(change.after -> 'user' ->> 'email') = hand_made.email
  returning change.username
),
marked as (
  update {{stage}} as stage set digest = null
  from (select distinct username from refused) as refused
  where stage.username = refused.username
  returning stage.username, stage.file, stage.record, stage.line, stage.byte
),
logged as (
  insert into sync.run_log (run_id, level, code, message, username, file, record, line, byte)
  select $1::bigint, 'error', 'not-owned',
         'An account with this e-mail address exists that the sync did not create, and is left alone. Give this user '
         'another address in the source, or remove that account.',
         username, ($3::text[])[file + 1], record, line, byte
  from marked
)
select count(*) as rejected from marked

-- name: plan-chunks
-- Cuts the plan from ordinal $2 into ranges of $3 changes; blocks, from ordinal $4, apart from the rest.
insert into sync.chunk (run_id, first_ordinal, last_ordinal, is_block)
select $1::bigint, min(ordinal), max(ordinal), is_block
from (
  select ordinal, ordinal >= $4::integer as is_block,
         (row_number() over (partition by ordinal >= $4::integer order by ordinal) - 1) / $3::integer as number
  from sync.change
  where run_id = $1::bigint and ordinal >= $2::integer
) as numbered
group by is_block, number

-- name: count-plan
-- All changes of the run by kind: of this attempt and those that an earlier one applied.
select kind, count(*) as count from sync.change where run_id = $1::bigint and not withheld group by kind
