-- The plan: what to change so that the directory agrees with the batch. Nothing here writes to the directory.
-- $1 is the run's id, $2 the feed's, unless said otherwise. `base` added to a record's seq gives the ordinal of its change.

-- name: index-stage
-- Making the index tells whether a username stands twice, which costs a batch without such next to nothing. What is caught
-- here does not get into the log of Postgres, which would name the user.
do $$
begin
  create unique index on {{stage}} (username);
exception when unique_violation then
  create index on {{stage}} (username);
end
$$

-- name: usernames-are-unique
select bool_or(indisunique) as are from pg_index where indrelid = '{{stage}}'::regclass

-- name: analyze-stage
analyze {{stage}}

-- name: clear-plan
-- Forgets what was planned but not applied by an earlier attempt of run $1, also when it was not cut into chunks yet.
with unapplied as (
  delete from sync.chunk where run_id = $1::bigint and applied_at is null
)
delete from sync.change
where run_id = $1::bigint
  and not exists (select from sync.chunk
                  where chunk.run_id = $1::bigint and chunk.applied_at is not null
                    and change.ordinal between chunk.first_ordinal and chunk.last_ordinal)

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

-- name: apply-pins
-- Values that an operator pinned take the place of what the records give. They are part of the digest, so that a pin which
-- begins or ends shows up by itself. Groups keep the model's order.
with pin as (
  select username, jsonb_object_agg(name, value order by name) as pins
  from sync.overrides_at(now()) where kind = 'pin'
  group by username
)
update {{stage}} as stage
set mapped = sync.pinned(stage.mapped::jsonb, pin.pins)::text,
    digest = md5(stage.digest::text || pin.pins::text)::uuid,
    -- So that it is mapped again in the next run: the pin may be over by then.
    record_digest = null
from pin
where stage.username = pin.username and stage.digest is not null and stage.mapped is not null

-- name: classify
-- One pass that says how much of each kind of work there is. $1 feed id, $2 force. A record that was recognised is not
-- looked at, even when an operator wanted that just now: the next run does.
with staged as (
  select count(*) as staged,
         count(*) filter (where stage.digest is null) as rejected,
         count(*) filter (where stage.digest is not null and stage.mapped is not null
                            and feed_user.username is null) as added,
         count(*) filter (where stage.digest is not null and stage.mapped is not null and feed_user.feed_id = $1::smallint
                            and (not feed_user.in_feed or feed_user.in_error or feed_user.look_again or $2::boolean
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
-- `profile_ref` is their profile's, or the one that it will have. Not temporary, as several connections plan at once.
create unlogged table {{stage}}_candidate (
  seq           integer not null,
  account_id    bigint,
  in_feed       boolean,
  profile_ref   bigint not null,
  makes_profile boolean not null
) with (autovacuum_enabled = false)

-- name: find-candidates
-- Users that are new (no account), whose record differs, who come back, or were in error. $1 feed id; $2: all of them, as
-- an operator asked.
insert into {{stage}}_candidate (seq, account_id, in_feed, profile_ref, makes_profile)
select stage.seq, feed_user.account_id, feed_user.in_feed,
       coalesce(account.profile_ref, nextval('directory.object_ref_seq')), account.profile_ref is null
from {{stage}} as stage
left join sync.feed_user on feed_user.username = stage.username
left join directory.account on account.id = feed_user.account_id
where stage.digest is not null and stage.mapped is not null
  and (feed_user.username is null
       or feed_user.feed_id = $1::smallint
          and (not feed_user.in_feed or feed_user.in_error or feed_user.look_again or $2::boolean
               or feed_user.digest is distinct from stage.digest))

-- name: analyze-candidates
analyze {{stage}}_candidate

-- name: make-links
-- What the references of a candidate to people resolve to, as sync.linked wants it: `path` and `value` of the only one, or
-- all `places`. And which of the profiles this run has yet to make.
create unlogged table {{stage}}_link (
  seq     integer not null,
  path    text[],
  value   jsonb,
  places  jsonb,
  awaited bigint[]
) with (autovacuum_enabled = false)

-- name: find-references
create temporary table reference on commit drop as
with given as materialized ( -- so that each record is parsed once
  select candidate.seq, stage.mapped::jsonb -> 'people' as people
  from {{stage}}_candidate as candidate
  join {{stage}} as stage on stage.seq = candidate.seq
)
select given.seq, place.number, place.person -> 'at' as at, jsonb_array_length(given.people) = 1 as is_only,
       case when place.person ? 'username' then 'username' else 'email' end as kind,
       coalesce(place.person ->> 'username', place.person ->> 'email') as value
from given
cross join lateral jsonb_array_elements(given.people) with ordinality as place (person, number)

-- name: analyze-references
-- Without it, Postgres takes them for few and looks for each person by itself, which takes half as long again.
analyze reference (seq, kind, value)

-- name: find-people
-- Everybody referred to who is in the directory, or will be by this run. Of several with one e-mail address, those who
-- are active come first.
create temporary table person on commit drop as
with username as (
  select distinct value from reference where kind = 'username'
),
email as (
  select distinct value from reference where kind = 'email'
),
found as (
  select 'username' as kind, username.value, account.profile_ref as ref, false as awaited, 1 as rank, account.id as tie
  from username
  join sync.feed_user on feed_user.username = username.value
  join directory.account on account.id = feed_user.account_id
  where account.profile_ref is not null
  union all
  select 'username', username.value, candidate.profile_ref, true, 2, candidate.seq
  from username
  join {{stage}} as stage on stage.username = username.value
  join {{stage}}_candidate as candidate on candidate.seq = stage.seq
  where candidate.makes_profile
  union all
  select 'email', email.value, account.profile_ref, false, case when account.is_active then 1 else 3 end, account.id
  from email
  join directory.account on lower(account.email) = email.value
  where account.profile_ref is not null
  union all
  select 'email', email.value, coming.profile_ref, true, 2, coming.seq
  from email
  join (
    select lower(stage.mapped::jsonb -> 'user' ->> 'email') as email, candidate.profile_ref, candidate.seq
    from {{stage}}_candidate as candidate
    join {{stage}} as stage on stage.seq = candidate.seq
    where candidate.makes_profile and exists (select from email)
  ) as coming on coming.email = email.value
)
select distinct on (kind, value) kind, value, ref, awaited
from found
order by kind, value, rank, tie

-- name: analyze-people
analyze person (kind, value)

-- name: fill-links
-- Most records that refer to people refer to one, who is there: those need neither to be sorted nor to be put together.
insert into {{stage}}_link (seq, path, value, places, awaited)
select reference.seq, array(select jsonb_array_elements_text(reference.at)) || 'value'::text,
       jsonb_build_object('ref', person.ref::text), null, case when person.awaited then array[person.ref] end
from reference
join person on person.kind = reference.kind and person.value = reference.value
where reference.is_only
union all
select reference.seq, null, null,
       jsonb_agg(jsonb_build_object('at', reference.at, 'ref', person.ref::text) order by reference.number desc),
       array_agg(distinct person.ref) filter (where person.awaited)
from reference
left join person on person.kind = reference.kind and person.value = reference.value
where not reference.is_only or person.ref is null
group by reference.seq

-- name: analyze-links
analyze {{stage}}_link (seq)

-- name: reject-references
-- References that nobody answers to are errors on their records. $1 run id, $2 file names by number.
with unknown as (
  select distinct reference.seq, reference.kind, reference.value
  from reference
  left join person on person.kind = reference.kind and person.value = reference.value
  where person.ref is null
),
marked as (
  update {{stage}} as stage set in_error = true
  from (select distinct seq from unknown) as unknown_record
  where stage.seq = unknown_record.seq
  returning stage.seq, stage.username, stage.file, stage.record, stage.line, stage.byte
),
logged as (
  insert into sync.run_log (run_id, level, code, message, username, file, record, line, byte, value)
  select $1::bigint, 'error', 'unknown-reference',
         format('Nobody has this %s, which the record refers to: the value is not set. '
                'Correct the source, or bring that person in.',
                case unknown.kind when 'username' then 'username' else 'e-mail address' end),
         marked.username, ($2::text[])[marked.file + 1], marked.record, marked.line, marked.byte, unknown.value
  from unknown join marked on marked.seq = unknown.seq
)
select count(*) as unknown from unknown

-- name: make-dependents
-- Objects that belong to candidates, as their records give them.
create temporary table dependent (
  seq          integer not null,
  number       integer not null,
  destination  text not null,
  owner_number integer,
  loaded       bigint,
  place        integer,
  origin       text,
  make         boolean not null,
  given        jsonb not null,
  dropped      jsonb not null,
  owner        bigint,
  ref          bigint,
  is_new       boolean
) on commit drop

-- name: find-dependents
insert into dependent (seq, number, destination, owner_number, loaded, place, origin, make, given, dropped)
select candidate.seq, object.number - 1, object.given ->> 'destination', (object.given ->> 'owner')::integer,
       (object.given ->> 'ref')::bigint, (object.given ->> 'place')::integer, object.given ->> 'origin',
       (object.given ->> 'make')::boolean, object.given -> 'values', coalesce(object.given -> 'drop', '{}')
from {{stage}}_candidate as candidate
join {{stage}} as stage on stage.seq = candidate.seq
left join {{stage}}_link as link on link.seq = candidate.seq
cross join lateral jsonb_array_elements(
  sync.linked(stage.mapped::jsonb, link.path, link.value, link.places) -> 'dependents') with ordinality as object (given, number)

-- name: analyze-dependents
analyze dependent

-- name: reject-loads
-- An object belongs to one user. Records that load one which, when it comes to planning, belongs to somebody else, or which
-- an earlier record of the batch loads, are rejected. $1 run id, $2 file names by number.
with loaded as (
  select dependent.seq, dependent.loaded, object.owner, candidate.profile_ref, dependent.owner_number,
         min(dependent.seq) over (partition by dependent.loaded) as first_seq
  from dependent
  join {{stage}}_candidate as candidate on candidate.seq = dependent.seq
  left join directory.object on object.ref = dependent.loaded
  where dependent.loaded is not null
),
refused as (
  select distinct seq from loaded
  where seq <> first_seq or owner_number is null and owner is not null and owner <> profile_ref
),
unplanned as (
  delete from {{stage}}_candidate as candidate using refused where candidate.seq = refused.seq
),
unlinked as (
  delete from dependent using refused where dependent.seq = refused.seq
),
marked as (
  update {{stage}} as stage set digest = null
  from refused where stage.seq = refused.seq
  returning stage.username, stage.file, stage.record, stage.line, stage.byte
),
logged as (
  insert into sync.run_log (run_id, level, code, message, username, file, record, line, byte)
  select $1::bigint, 'error', 'load-failed',
         'The object to load belongs to another user, or an earlier record of the batch loads it: correct the reference.',
         username, ($2::text[])[file + 1], record, line, byte
  from marked
)
select count(*) as rejected from refused

-- name: place-dependents
-- Which objects those of destination $1 are, with the types $2: the one that was loaded; the one that the sync made for
-- this place; for the first place the oldest one of the type that the sync did not make for this destination; or a new
-- one. What the record loaded is at no place. Run for owners before what they own. src/mapping/existing.ts finds them by
-- the same rule. `+ 0` has Postgres look for the owner: just after many objects were made, with no statistics of them yet,
-- it would take the smallest ref of all and walk up from there, once for each record.
with owned as (
  select dependent.seq, dependent.number, dependent.destination, dependent.loaded, dependent.place, dependent.origin,
         case when dependent.owner_number is null then candidate.profile_ref else owner.ref end as owner,
         coalesce(loading.taken, '{}') as taken
  from dependent
  join {{stage}}_candidate as candidate on candidate.seq = dependent.seq
  left join dependent as owner on owner.seq = dependent.seq and owner.number = dependent.owner_number
  left join (select seq, array_agg(loaded) as taken from dependent where loaded is not null group by seq) as loading
    on loading.seq = dependent.seq
  where dependent.destination = $1::text
),
matched as (
  select owned.seq, owned.number, owned.owner,
         coalesce(
           (select object.ref from directory.object where object.ref = owned.loaded),
           (select min(object.ref + 0) from directory.object
            where object.owner = owned.owner and object.origin = owned.origin
              and object.ref <> all (owned.taken)),
           case when owned.place = 0 then
             (select min(object.ref + 0) from directory.object
              where object.owner = owned.owner and object.types && $2::text[]
                and not coalesce(starts_with(object.origin, owned.destination || '/'), false)
                and object.ref <> all (owned.taken))
           end) as ref
  from owned
),
-- In the order of the records, so that older objects have lower refs.
made as (
  select matched.seq, matched.number, nextval('directory.object_ref_seq') as ref
  from (
    select matched.seq, matched.number
    from matched
    join dependent on dependent.seq = matched.seq and dependent.number = matched.number
    where matched.ref is null and matched.owner is not null and dependent.make and dependent.loaded is null
    order by matched.seq, matched.number
  ) as matched
)
update dependent
set owner = matched.owner, ref = coalesce(matched.ref, made.ref), is_new = matched.ref is null
from matched
left join made on made.seq = matched.seq and made.number = matched.number
where dependent.seq = matched.seq and dependent.number = matched.number

-- name: make-dependent-changes
-- What changes among the objects of a candidate, by ref.
create unlogged table {{stage}}_dependent_change (
  seq    integer not null,
  before jsonb,
  after  jsonb not null
) with (autovacuum_enabled = false)

-- name: find-dependent-changes
-- $1: for each destination the type of its objects and the attribute that links them to their owner.
insert into {{stage}}_dependent_change (seq, before, after)
with target as (
  select dependent.seq, dependent.ref, dependent.destination, dependent.origin, dependent.is_new,
         $1::jsonb -> dependent.destination ->> 'type' as type,
         coalesce(object.attributes, '{}') as old,
         sync.merged_attributes(coalesce(object.attributes, '{}'), dependent.given, dependent.dropped)
           || case when object.owner is null then jsonb_build_object(
                $1::jsonb -> dependent.destination ->> 'link',
                jsonb_build_array(jsonb_build_object('value', jsonb_build_object('ref', dependent.owner::text))))
              else '{}' end as new
  from dependent
  left join directory.object on object.ref = dependent.ref
  where dependent.ref is not null
  offset 0
)
select seq,
       jsonb_object_agg(ref::text, jsonb_build_object('destination', destination, 'attributes',
         (select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(old)
          where value is distinct from new -> key))) filter (where not is_new),
       jsonb_object_agg(ref::text,
         case when is_new
              then jsonb_build_object('destination', destination, 'type', type, 'origin', origin, 'attributes', new)
              else jsonb_build_object('destination', destination, 'attributes',
                     (select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(new)
                      where value is distinct from old -> key)) end)
from target
where is_new or old <> new
group by seq

-- name: drop-candidates
drop table if exists {{stage}}_candidate, {{stage}}_link, {{stage}}_dependent_change

-- name: stage-pages
select (pg_relation_size('{{stage}}') / current_setting('block_size')::integer)::integer as pages

-- name: plan-adds
-- $2 base; of the staged rows from place $3 to place $4.
insert into sync.change (run_id, ordinal, kind, username, digest, profile_ref, awaited, after)
select $1::bigint, $2::integer + stage.seq, 'add', stage.username, stage.digest, candidate.profile_ref, link.awaited,
       case when dependent_change.seq is null then given.after
            else given.after || jsonb_build_object('dependents', dependent_change.after) end
from {{stage}} as stage
join {{stage}}_candidate as candidate on candidate.seq = stage.seq
left join {{stage}}_link as link on link.seq = stage.seq
left join {{stage}}_dependent_change as dependent_change on dependent_change.seq = stage.seq
cross join lateral (
  select sync.linked(stage.mapped::jsonb, link.path, link.value, link.places) - '{drop,dependents}'::text[] as after
) as given
where candidate.account_id is null and stage.ctid >= $3::tid and stage.ctid < $4::tid

-- name: plan-changes
-- Candidates that have an account. $2 base; of the staged rows from place $3 to place $4. before and after hold only what
-- differs. An account that somebody deactivated by hand stays so, unless the user comes back. `offset 0` keeps Postgres from
-- computing a column anew wherever it is used.
with given as (
  select stage.seq, stage.username, stage.digest, candidate.account_id, candidate.in_feed, link.awaited,
         sync.linked(stage.mapped::jsonb, link.path, link.value, link.places) as given,
         case when candidate.makes_profile then candidate.profile_ref end as profile_ref,
         dependent_change.before as old_dependents, dependent_change.after as new_dependents
  from {{stage}}_candidate as candidate
  join {{stage}} as stage on stage.seq = candidate.seq
  left join {{stage}}_link as link on link.seq = candidate.seq
  left join {{stage}}_dependent_change as dependent_change on dependent_change.seq = candidate.seq
  where candidate.account_id is not null and stage.ctid >= $3::tid and stage.ctid < $4::tid
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
         account.dictionaries as old_dictionaries,
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
         case when given ? 'dictionaries' or given -> 'drop' ? 'dictionaries'
              then sync.merged_dictionaries(old_dictionaries, given -> 'dictionaries', given -> 'drop' -> 'dictionaries')
              else old_dictionaries end as new_dictionaries,
         coalesce(given -> 'types', case when in_feed then old_types else active_types end) as new_types,
         sync.merged_profile(old_profile, given -> 'profile', given -> 'drop' -> 'profile') as new_profile
  from present
  offset 0
)
insert into sync.change (run_id, ordinal, kind, username, account_id, digest, profile_ref, awaited, before, after)
select $1::bigint, $2::integer + target.seq, case when in_feed then 'update' else 'unblock' end,
       target.username, target.account_id, target.digest, target.profile_ref, target.awaited,
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
    union all
    select 'dictionaries',
           (select jsonb_object_agg(key, value) from jsonb_each(old_dictionaries)
            where value is distinct from new_dictionaries -> key),
           (select jsonb_object_agg(key, value) from jsonb_each(new_dictionaries)
            where value is distinct from old_dictionaries -> key)
    where old_dictionaries <> new_dictionaries
    union all
    select 'dependents', old_dependents, new_dependents where new_dependents is not null
  ) as section_difference
) as difference
where not in_feed or difference.before is not null or difference.after is not null

-- name: plan-blocks
-- Users of the feed who are not in the batch, not even as a rejected record; unless an operator protects them, or their
-- grace is not over: $5 runs and $6 days of being missing, both of them. A blocked user's profile becomes the past
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
  and feed_user.missing_runs >= $5::integer
  and coalesce(feed_user.missing_since, now()) <= now() - $6::integer * interval '1 day'
  and not exists (select from sync.overrides_at(now()) as override
                  where override.kind = 'protect' and override.username = feed_user.username)

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

-- name: count-rejected
-- How many records are rejected, by code: each counts once, for the first error that rejects it. $2 file names by number;
-- $3 codes that reject a record only when there is no other. The staging table has no row of a record without a username or
-- of a duplicate, and one without a digest of any other that is rejected.
select code, count(*)::integer as records
from (
  select distinct on (entry.file, entry.record) entry.code
  from sync.run_log as entry
  left join {{stage}} as stage
    on stage.username = entry.username and stage.record = entry.record
    and stage.file = array_position($2::text[], entry.file) - 1
  where entry.run_id = $1::bigint and entry.level = 'error' and entry.record is not null and stage.digest is null
  order by entry.file, entry.record, entry.code = any ($3::text[]), entry.id
) as rejected
group by code

-- name: mark-repeated
-- Users whom an interrupted attempt changed already, as those whose references to people it left open. $2: the first ordinal
-- of this attempt.
update sync.change set repeated = true
where run_id = $1::bigint and ordinal >= $2::integer
  and exists (select from sync.change as earlier
              where earlier.run_id = $1::bigint and earlier.username = change.username
                and earlier.ordinal < $2::integer and not earlier.withheld)

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
select kind, count(*) as count from sync.change
where run_id = $1::bigint and not withheld and not repeated group by kind
