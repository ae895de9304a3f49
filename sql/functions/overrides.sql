-- What operators pin for single users. Made anew whenever this file changes.

-- Overrides in force at a moment.
create or replace function sync.overrides_at(moment timestamptz)
returns setof sync.override language sql stable set search_path = '' as $$
  select * from sync.override
  where created_at <= moment and coalesce(until, 'infinity') > moment and coalesce(ended_at, 'infinity') > moment
$$;

-- A mapped record with values of `user` pinned, and with what the sync makes of them: the name and the e-mail address of
-- the profile, and its types from the groups.
create or replace function sync.pinned(mapped jsonb, pins jsonb)
returns jsonb language sql stable set search_path = '' as $$
  with given as (
    select (mapped -> 'user') || pins as person
  )
  select mapped
    || jsonb_build_object('user', person)
    || jsonb_build_object('profile', (mapped -> 'profile')
         || jsonb_build_object('std:attribute:email', jsonb_build_array(jsonb_build_object('value', person -> 'email')))
         || jsonb_build_object('dc:attribute:title',
              jsonb_build_array(jsonb_build_object('value', jsonb_strip_nulls(jsonb_build_object(
                'title', person -> 'title', 'first', person -> 'nameFirst', 'last', person -> 'nameLast'))))
              || coalesce((mapped -> 'profile' -> 'dc:attribute:title') - 0, '[]')))
    || case when pins ? 'groups' then
         jsonb_build_object('types', (
           select coalesce(jsonb_agg(type_active order by place), '["std:type:person"]')
           from (select type_active, min(position) as place from directory.user_group
                 where type_active is not null and code in (select jsonb_array_elements_text(pins -> 'groups'))
                 group by type_active) as type))
       else '{}' end
  from given
$$;
