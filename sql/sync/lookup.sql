-- What control files ask of the directory while records are mapped, for a batch of records at a time.

-- name: model-behaviours
select behaviour, ref from sync.model_object order by behaviour

-- name: all-behaviours
-- Those of the model come first; of the others the oldest object that has a code.
select distinct on (behaviour) behaviour, ref
from (
  select behaviour, ref, 0 as rank from sync.model_object
  union all
  select attributes #>> '{std:attribute:configured-behaviour,0,value}', ref, 1
  from directory.object
  where attributes ? 'std:attribute:configured-behaviour'
) as found
where behaviour is not null
order by behaviour, rank, ref

-- name: titled-objects
-- Objects of the types $1 with one of the titles $2, the oldest first, and how many objects have these types: counting
-- stops beyond $3.
with candidate as materialized (
  select ref, types, attributes -> 'dc:attribute:title' as titles
  from directory.object where types && $1::text[]
  limit $3::integer + 1
)
select ref, types, title, (select count(*)::integer from candidate) as candidates
from candidate
left join lateral (
  select entry ->> 'value' as title
  from jsonb_array_elements(case when jsonb_typeof(titles) = 'array' then titles else '[]' end) as entry
) as named on true
where title = any ($2::text[]) or (select count(*) from candidate) > $3::integer
order by ref

-- name: existing-users
-- Users of feed $1 with the usernames $2, with the objects that belong to them.
with recursive asked as (
  select feed_user.username, account.*, object.attributes
  from sync.feed_user
  join directory.account on account.id = feed_user.account_id
  left join directory.object on object.ref = account.profile_ref
  where feed_user.feed_id = $1::smallint and feed_user.username = any ($2::text[])
),
-- An owner that somebody linked to itself ends here, too.
belonging as (
  select asked.username, object.ref, object.owner, object.origin, object.types, object.attributes, 1 as depth
  from asked join directory.object on object.owner = asked.profile_ref
  union all
  select belonging.username, object.ref, object.owner, object.origin, object.types, object.attributes, depth + 1
  from belonging join directory.object on object.owner = belonging.ref
  where depth < 8
)
select asked.username,
       jsonb_strip_nulls(jsonb_build_object(
         'username', asked.username, 'email', asked.email, 'title', asked.title, 'nameFirst', asked.name_first,
         'nameLast', asked.name_last,
         'groups', (select coalesce(jsonb_agg(user_group.code), '[]') from directory.membership
                    join directory.user_group on user_group.code = membership.group_code and user_group.managed
                    where membership.account_id = asked.id))) as user,
       asked.tags, asked.dictionaries, coalesce(asked.attributes, '{}') as profile,
       asked.profile_ref::text as "profileRef",
       (select coalesce(jsonb_agg(jsonb_build_object(
                 'ref', ref::text, 'types', types, 'owner', owner::text, 'origin', origin, 'attributes', attributes)
                 order by ref), '[]')
        from belonging where belonging.username = asked.username) as objects
from asked

-- name: recognise
-- Which of the records with the digests $3, of the users $2, are those last taken in by feed $1, and leave nothing to do:
-- the digests of what they are mapped to, in order and empty for the others, and how many of them give which names.
with asked as (
  select asked.place, feed_user.digest, feed_user.given
  from unnest($2::text[], $3::uuid[]) with ordinality as asked (username, record_digest, place)
  -- `offset 0` has each of them looked up by the index; Postgres might rather read all users for each batch of records.
  left join lateral (select * from sync.feed_user where feed_user.username = asked.username offset 0) as feed_user
    on feed_user.record_digest = asked.record_digest
   and feed_user.feed_id = $1::smallint and feed_user.in_feed and not feed_user.in_error and not feed_user.look_again
   and feed_user.digest is not null and feed_user.given is not null
   and asked.username <> all (array(select username from sync.overrides_at(now()) where kind = 'pin'))
)
select string_agg(coalesce(digest::text, ''), ',' order by place) as digests,
       (select coalesce(jsonb_object_agg(encode(given, 'hex'), records), '{}')
        from (select given, count(*) as records from asked where given is not null group by given) as counted) as given
from asked

-- name: objects-by-ref
select ref::text as ref, types, owner::text as owner, origin, attributes
from directory.object where ref = any ($1::bigint[])

-- name: belonging-objects
-- The objects that belong to object $1, and to these.
with recursive belonging as (
  select ref, owner, types, attributes, 1 as depth from directory.object where owner = $1::bigint
  union all
  select object.ref, object.owner, object.types, object.attributes, depth + 1
  from belonging join directory.object on object.owner = belonging.ref
  where depth < 8
)
select ref, owner, types, attributes from belonging order by depth, ref
