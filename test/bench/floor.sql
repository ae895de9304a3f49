-- The floor: what somebody who knows Postgres well would write by hand, for one feed, to reach the same tables as the
-- product. One connection, one transaction, set by set. $1 is the run's id unless said otherwise.

-- name: make-stage
create unlogged table sync.stage_floor (
  seq        integer not null,
  file       smallint not null,
  record     integer not null,
  line       integer not null,
  byte       bigint not null,
  username   text collate "C" not null,
  digest     uuid not null,
  email      text not null,
  title      text,
  name_first text,
  name_last  text,
  groups     text[] not null,
  tags       jsonb not null,
  types      text[] not null,
  profile    jsonb not null,
  raw        text not null
) with (autovacuum_enabled = false)

-- name: copy-stage
copy sync.stage_floor from stdin with (freeze)

-- name: analyze-stage
-- Only what is joined and compared: the rest is never looked for.
analyze sync.stage_floor (seq, username, digest)

-- name: classify
select count(*) as records,
       count(*) filter (where feed_user.username is null) as added,
       count(*) filter (where feed_user.username is not null
                          and (not feed_user.in_feed or feed_user.digest is distinct from stage.digest)) as differing,
       count(*) filter (where feed_user.in_feed) as still_there,
       (select count(*) from sync.feed_user where in_feed) as in_feed
from sync.stage_floor as stage
left join sync.feed_user on feed_user.username = stage.username

-- name: begin-run
-- $1 control file, $2 digest of the model, $3 counts.
insert into sync.run (feed_id, status, source, control_id, model_digest, applied, outcome, counts, publication,
                      started_at, finished_at)
select control_file.feed_id, 'complete', 'floor', control_file.id, $2::text, true, 'applied', $3::jsonb,
       nextval('sync.publication'), now(), clock_timestamp()
from sync.control_file where id = $1::bigint
returning id

-- name: find-added
create temporary table added on commit drop as
select stage.seq, nextval('directory.object_ref_seq') as ref, nextval('directory.account_id_seq') as account_id
from sync.stage_floor as stage
where not exists (select from sync.feed_user where feed_user.username = stage.username)

-- name: analyze-added
analyze added

-- name: add-profiles
insert into directory.object (ref, types, attributes)
select added.ref, stage.types, stage.profile
from added join sync.stage_floor as stage on stage.seq = added.seq

-- name: add-accounts
insert into directory.account (id, email, title, name_first, name_last, tags, profile_ref)
select added.account_id, stage.email, stage.title, stage.name_first, stage.name_last, stage.tags, added.ref
from added join sync.stage_floor as stage on stage.seq = added.seq

-- name: add-memberships
insert into directory.membership (account_id, group_code)
select added.account_id, unnest(stage.groups)
from added join sync.stage_floor as stage on stage.seq = added.seq

-- name: add-state
insert into sync.feed_user (username, feed_id, account_id, digest, in_feed, since_run, changed_run)
select stage.username, $2::smallint, added.account_id, stage.digest, true, $1::bigint, $1::bigint
from added join sync.stage_floor as stage on stage.seq = added.seq

-- name: log-added
insert into sync.change (run_id, ordinal, kind, username, digest, profile_ref, after)
select $1::bigint, stage.seq, 'add', stage.username, stage.digest, added.ref,
       jsonb_build_object(
         'user', jsonb_build_object('email', stage.email, 'title', stage.title, 'nameFirst', stage.name_first,
                                    'nameLast', stage.name_last, 'groups', stage.groups),
         'tags', stage.tags, 'types', stage.types, 'profile', stage.profile)
from added join sync.stage_floor as stage on stage.seq = added.seq

-- name: keep-received-of-added
-- $2 feed. A record that was rejected before may be there.
insert into sync.received (username, feed_id, run_id, file, record, line, byte, accepted, raw)
select stage.username, $2::smallint, $1::bigint, 'users', stage.record, stage.line, stage.byte, true, stage.raw
from added join sync.stage_floor as stage on stage.seq = added.seq
on conflict (username) do update
set feed_id = excluded.feed_id, run_id = excluded.run_id, file = excluded.file, record = excluded.record,
    line = excluded.line, byte = excluded.byte, accepted = true, raw = excluded.raw

-- name: find-changed
create temporary table changed on commit drop as
select stage.seq, feed_user.account_id, feed_user.in_feed
from sync.stage_floor as stage
join sync.feed_user on feed_user.username = stage.username
where not feed_user.in_feed or feed_user.digest is distinct from stage.digest

-- name: analyze-changed
analyze changed

-- name: make-difference
-- What is there and what shall be, of those who changed. Attributes that the feed removes go when it does not give them.
create temporary table difference on commit drop as
select changed.seq, stage.username, changed.account_id, changed.in_feed, account.profile_ref, stage.digest,
       jsonb_build_object(
         'isActive', account.is_active, 'email', account.email, 'title', account.title, 'nameFirst', account.name_first,
         'nameLast', account.name_last, 'groups', coalesce(member.groups, '[]')) as old_user,
       jsonb_build_object(
         'isActive', account.is_active or not changed.in_feed, 'email', stage.email, 'title', stage.title,
         'nameFirst', stage.name_first, 'nameLast', stage.name_last, 'groups', stage.groups) as new_user,
       account.tags as old_tags, account.tags || stage.tags as new_tags,
       to_jsonb(object.types) as old_types, to_jsonb(stage.types) as new_types,
       object.attributes as old_profile,
       (object.attributes - '{std:attribute:job-title,std:attribute:telephone}'::text[]) || stage.profile as new_profile
from changed
join sync.stage_floor as stage on stage.seq = changed.seq
join directory.account on account.id = changed.account_id
join directory.object on object.ref = account.profile_ref
left join (
  select changed.account_id, jsonb_agg(user_group.code order by user_group.position) as groups
  from changed
  join directory.membership on membership.account_id = changed.account_id
  join directory.user_group on user_group.code = membership.group_code and user_group.managed
  group by changed.account_id
) as member on member.account_id = changed.account_id

-- name: analyze-difference
analyze difference (seq, account_id, profile_ref)

-- name: log-changed
-- before and after hold only what differs.
insert into sync.change (run_id, ordinal, kind, username, account_id, digest, before, after)
select $1::bigint, difference.seq, case when in_feed then 'update' else 'unblock' end, username, account_id, digest,
       coalesce(log.before, '{}'), coalesce(log.after, '{}')
from difference
left join (
  select seq, jsonb_object_agg(section, old) filter (where old is not null) as before,
         jsonb_object_agg(section, new) filter (where new is not null) as after
  from (
    select seq, section, jsonb_object_agg(name.key, name.old) filter (where name.old is not null) as old,
           jsonb_object_agg(name.key, name.new) filter (where name.new is not null) as new
    from difference
    cross join lateral (values ('user', old_user, new_user), ('tags', old_tags, new_tags),
                               ('profile', old_profile, new_profile)) as part (section, before, after)
    cross join lateral (
      select coalesce(old.key, new.key) as key, old.value as old, new.value as new
      from jsonb_each(part.before) as old
      full join jsonb_each(part.after) as new on new.key = old.key
      where old.value is distinct from new.value
    ) as name
    group by seq, section
    union all
    select seq, 'types', old_types, new_types from difference where old_types <> new_types
  ) as section
  group by seq
) as log on log.seq = difference.seq
where not in_feed or log.seq is not null

-- name: change-accounts
update directory.account
set is_active = (new_user ->> 'isActive')::boolean, email = stage.email, title = stage.title,
    name_first = stage.name_first, name_last = stage.name_last, tags = new_tags, updated_at = now()
from difference
join sync.stage_floor as stage on stage.seq = difference.seq
where account.id = difference.account_id
  and (old_user - 'groups' <> new_user - 'groups' or old_tags <> new_tags)

-- name: change-profiles
update directory.object
set attributes = new_profile, types = stage.types, updated_at = now()
from difference
join sync.stage_floor as stage on stage.seq = difference.seq
where object.ref = difference.profile_ref and (old_profile <> new_profile or old_types <> new_types)

-- name: end-memberships
delete from directory.membership using difference, directory.user_group
where membership.account_id = difference.account_id and user_group.code = membership.group_code and user_group.managed
  and not new_user -> 'groups' ? membership.group_code

-- name: begin-memberships
insert into directory.membership (account_id, group_code)
select difference.account_id, unnest(stage.groups)
from difference
join sync.stage_floor as stage on stage.seq = difference.seq
where old_user -> 'groups' <> new_user -> 'groups'
on conflict do nothing

-- name: change-state
update sync.feed_user
set digest = difference.digest, in_feed = true, in_error = false, look_again = false,
    since_run = case when difference.in_feed then feed_user.since_run else $1::bigint end, changed_run = $1::bigint
from difference
where feed_user.account_id = difference.account_id

-- name: keep-received-of-changed
update sync.received
set run_id = $1::bigint, file = 'users', record = stage.record, line = stage.line, byte = stage.byte, accepted = true,
    raw = stage.raw
from difference
join sync.stage_floor as stage on stage.seq = difference.seq
where received.username = difference.username

-- name: find-gone
create temporary table gone on commit drop as
select feed_user.username, feed_user.account_id, account.profile_ref, account.is_active, object.types as old_types,
       coalesce(
         (select array[user_group.type_past]
          from directory.membership
          join directory.user_group on user_group.code = membership.group_code
          where membership.account_id = account.id and user_group.managed and user_group.type_past is not null
          order by user_group.position desc
          limit 1),
         object.types) as new_types
from sync.feed_user
join directory.account on account.id = feed_user.account_id
join directory.object on object.ref = account.profile_ref
where feed_user.in_feed
  and not exists (select from sync.stage_floor as stage where stage.username = feed_user.username)

-- name: log-gone
-- $2 first ordinal.
insert into sync.change (run_id, ordinal, kind, username, account_id, before, after)
select $1::bigint, $2::integer + (row_number() over ())::integer - 1, 'block', username, account_id,
       jsonb_build_object('user', jsonb_build_object('isActive', is_active))
         || case when old_types = new_types then '{}' else jsonb_build_object('types', old_types) end,
       '{"user": {"isActive": false}}'::jsonb
         || case when old_types = new_types then '{}' else jsonb_build_object('types', new_types) end
from gone

-- name: block-accounts
update directory.account set is_active = false, updated_at = now() from gone where account.id = gone.account_id

-- name: block-profiles
update directory.object set types = gone.new_types, updated_at = now()
from gone where object.ref = gone.profile_ref and old_types <> new_types

-- name: block-state
update sync.feed_user set in_feed = false, since_run = $1::bigint, changed_run = $1::bigint
from gone where feed_user.account_id = gone.account_id

-- name: note-chunk
insert into sync.chunk (run_id, first_ordinal, last_ordinal, is_block, applied_at)
values ($1::bigint, 0, $2::integer, false, clock_timestamp())

-- name: drop-stage
drop table sync.stage_floor
