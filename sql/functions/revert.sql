-- Comparing and turning round changes. Made anew whenever this file changes.

-- Whether everything that a change set from `before` to `after` is still as it set it. Lists of groups and types have an
-- order that means nothing here.
create or replace function sync.still_holds(state jsonb, before jsonb, after jsonb)
returns boolean language plpgsql immutable parallel safe set search_path = '' as $$
declare
  section text;
  name text;
  ref text;
begin
  for section in select jsonb_object_keys(before || after) loop
    if section = 'types' then
      if not (state -> 'types' @> coalesce(after -> 'types', state -> 'types')
              and coalesce(after -> 'types', state -> 'types') @> (state -> 'types')) then
        return false;
      end if;
    elsif section = 'dependents' then
      for ref in select jsonb_object_keys(after -> 'dependents') loop
        for name in select jsonb_object_keys(coalesce(before -> 'dependents' -> ref -> 'attributes', '{}')
                                             || (after -> 'dependents' -> ref -> 'attributes')) loop
          if state -> 'dependents' -> ref -> 'attributes' -> name
             is distinct from after -> 'dependents' -> ref -> 'attributes' -> name then
            return false;
          end if;
        end loop;
      end loop;
    else
      for name in select jsonb_object_keys(coalesce(before -> section, '{}') || coalesce(after -> section, '{}')) loop
        if section = 'user' and name = 'groups' then
          if not (state -> 'user' -> 'groups' @> (after -> 'user' -> 'groups')
                  and after -> 'user' -> 'groups' @> (state -> 'user' -> 'groups')) then
            return false;
          end if;
        elsif coalesce(state -> section -> name, 'null') <> coalesce(after -> section -> name, 'null') then
          return false;
        end if;
      end loop;
    end if;
  end loop;
  return true;
end
$$;

-- One side of a change turned round: `mine` is the side, `other` what stands against it. Objects that belong to a user
-- and that only one side knows were made by the change, and are removed by taking it back.
create or replace function sync.taken_back(mine jsonb, other jsonb)
returns jsonb language sql immutable parallel safe set search_path = '' as $$
  select case when not (mine ? 'dependents' or other ? 'dependents') then mine
    else mine || jsonb_build_object('dependents', (
      select jsonb_object_agg(ref, case
        when mine -> 'dependents' ? ref then mine -> 'dependents' -> ref
        else jsonb_build_object('destination', other -> 'dependents' -> ref -> 'destination', 'removed', true) end)
      from jsonb_object_keys(coalesce(mine -> 'dependents', '{}') || coalesce(other -> 'dependents', '{}')) as ref)) end
$$;
