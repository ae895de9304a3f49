-- Taking back what a run did, from its before-images. A plan like any other: guarded, stored, applied in chunks.

-- name: make-reverted
-- What a run applied, and whether it can be taken back: `open`; `changed` since by somebody else; `done` by an earlier
-- attempt.
create temporary table reverted (
  ordinal    integer not null,
  kind       text not null,
  username   text collate "C" not null,
  account_id bigint not null,
  before     jsonb not null,
  after      jsonb not null,
  is_active  boolean not null,
  types      jsonb not null,
  state      text not null
) on commit drop

-- name: find-reverted
-- $1 the run to take back, $2 the run that does it, $3 the feed of both: another one may have adopted a user since.
insert into reverted (ordinal, kind, username, account_id, before, after, is_active, types, state)
with applied as (
  select change.ordinal, change.kind, change.username, coalesce(change.before, '{}') as before, change.after
  from sync.chunk
  join sync.change on change.run_id = chunk.run_id
    and change.ordinal between chunk.first_ordinal and chunk.last_ordinal
  where chunk.run_id = $1::bigint and chunk.applied_at is not null and not change.withheld
),
present as (
  select applied.*, feed_user.account_id, feed_user.in_feed, feed_user.feed_id,
         jsonb_build_object(
           'user', jsonb_build_object(
             'isActive', account.is_active, 'email', account.email, 'title', account.title,
             'nameFirst', account.name_first, 'nameLast', account.name_last,
             'groups', (select coalesce(jsonb_agg(user_group.code order by user_group.position), '[]')
                        from directory.membership
                        join directory.user_group on user_group.code = membership.group_code and user_group.managed
                        where membership.account_id = account.id)),
           'tags', account.tags, 'dictionaries', account.dictionaries, 'types', coalesce(to_jsonb(object.types), '[]'),
           'profile', coalesce(object.attributes, '{}'),
           'dependents', (select coalesce(jsonb_object_agg(dependent.ref::text,
                                   jsonb_build_object('attributes', dependent.attributes)), '{}')
                          from jsonb_object_keys(applied.after -> 'dependents') as key
                          join directory.object as dependent on dependent.ref = key::bigint)) as state
  from applied
  join sync.feed_user on feed_user.username = applied.username
  join directory.account on account.id = feed_user.account_id
  left join directory.object on object.ref = account.profile_ref
  offset 0
)
select ordinal, kind, username, account_id, before, after, (state -> 'user' ->> 'isActive')::boolean, state -> 'types',
       case when exists (select from sync.change join sync.chunk on chunk.run_id = change.run_id
                           and change.ordinal between chunk.first_ordinal and chunk.last_ordinal
                         where change.run_id = $2::bigint and change.username = present.username
                           and chunk.applied_at is not null) then 'done'
            when feed_id = $3::smallint and in_feed = (kind <> 'block') and sync.still_holds(state, before, after) then 'open'
            else 'changed' end
from present

-- name: plan-revert
-- $1 the reverting run, $2 the first ordinal. An add is taken back by blocking: accounts are never deleted. The digest is one that no record has, so that the next batch looks at these users again.
insert into sync.change (run_id, ordinal, kind, username, account_id, digest, before, after)
select $1::bigint, $2::integer + (row_number() over (order by is_block, reverted.ordinal))::integer - 1,
       case reverted.kind when 'update' then 'update' when 'block' then 'unblock' else 'block' end,
       reverted.username, reverted.account_id, '00000000-0000-0000-0000-000000000000',
       case reverted.kind when 'add'
            then jsonb_build_object('user', jsonb_build_object('isActive', reverted.is_active))
                 || case when past.types is null then '{}' else jsonb_build_object('types', reverted.types) end
            else sync.taken_back(reverted.after, reverted.before) end,
       case reverted.kind when 'add'
            then jsonb_build_object('user', '{"isActive": false}'::jsonb)
                 || case when past.types is null then '{}' else jsonb_build_object('types', past.types) end
            else sync.taken_back(reverted.before, reverted.after) end
from reverted
cross join lateral (select reverted.kind in ('add', 'unblock') as is_block) as target
left join lateral (
  select array[user_group.type_past] as types
  from directory.membership
  join directory.user_group on user_group.code = membership.group_code
  where reverted.kind = 'add' and membership.account_id = reverted.account_id
    and user_group.managed and user_group.type_past is not null
  order by user_group.position desc
  limit 1
) as past on true
where reverted.state = 'open'

-- name: count-reverted
-- $1 the first ordinal: how many changes there are, how many are left alone, and where the blocks begin.
select count(*)::integer as changes,
       count(*) filter (where state = 'changed')::integer as skipped,
       $1::integer + count(*) filter (where state = 'open' and kind in ('update', 'block'))::integer as first_block
from reverted

-- name: log-skipped
insert into sync.run_log (run_id, level, code, message, username)
select $1::bigint, 'error', 'changed-since',
       'Something else changed this user since: left alone. Decide by hand, or bring in a batch.', username
from reverted where state = 'changed'
