-- What applications may read. Made anew whenever this file changes; columns are a contract: add at the end only.

create or replace view directory.users as
select
  account.id,
  feed_user.username::text as username,
  feed.name as feed,
  account.email,
  account.title,
  account.name_first,
  account.name_last,
  account.is_active,
  coalesce(feed_user.in_feed, false) as in_feed,
  coalesce(
    (select array_agg(membership.group_code order by membership.group_code collate "C")
       from directory.membership where membership.account_id = account.id),
    '{}'::text[]
  ) as groups,
  account.tags,
  account.profile_ref,
  coalesce(object.types, '{}'::text[]) as profile_types,
  coalesce(object.attributes, '{}'::jsonb) as profile,
  account.created_at,
  greatest(account.updated_at, object.updated_at) as updated_at,
  account.dictionaries
from directory.account
left join sync.feed_user on feed_user.account_id = account.id
left join sync.feed on feed.id = feed_user.feed_id
left join directory.object on object.ref = account.profile_ref;

comment on view directory.users is
  'Everyone, with groups and profile. username and feed are null for accounts not made by the sync.';

-- A run's changes appear together when it ends, numbered in the order in which runs end: who remembers the highest id
-- seen never misses one. `changes_after` reads on from an id without going through all that came before.
create or replace view directory.changes as
select
  (run.publication << 32) + change.ordinal as id,
  run.finished_at as at,
  run.id as run,
  change.username::text as username,
  change.kind,
  change.before,
  change.after
from sync.run
join sync.change on change.run_id = run.id
where run.publication is not null and not change.withheld;

comment on view directory.changes is 'Append-only log of what the sync changed. NOTIFY directory_changes tells of more.';

create or replace function directory.changes_after(after_id bigint, max_rows integer default 1000)
returns setof directory.changes
language sql stable security definer set search_path = ''
as $$
  select changes.*
  from (
    select run.id, run.publication
    from sync.run
    where run.publication >= after_id >> 32
    order by run.publication
  ) as later
  cross join lateral (
    select (later.publication << 32) + change.ordinal as id, run.finished_at as at, run.id as run,
           change.username::text as username, change.kind, change.before, change.after
    from sync.change
    join sync.run on run.id = change.run_id
    where change.run_id = later.id
      and not change.withheld
      and (later.publication << 32) + change.ordinal > after_id
    order by change.ordinal
  ) as changes
  order by changes.id
  limit max_rows
$$;

comment on function directory.changes_after is 'The changes after an id, oldest first, at most max_rows.';

-- It reads with the owner's rights, so whoever is to use it is granted it by name.
revoke execute on function directory.changes_after from public;
