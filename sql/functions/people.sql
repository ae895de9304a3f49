-- References to people in what a record gives, and in what was written. Made anew whenever this file changes.

-- What a record gives, with its references to people resolved. `places`, the last one first: [{"at": path of the entry,
-- "ref": ref or null}]. An entry whose person nobody is, is left out, as if it had not been set: a list or group that is
-- empty then goes too, and with a qualifier the existing values with that qualifier stay.
create or replace function sync.with_people(given jsonb, places jsonb)
returns jsonb language plpgsql immutable parallel safe set search_path = '' as $$
declare
  result jsonb := given - 'people';
  place jsonb;
  at text[];
  section text[];
  rule text[];
  list text[];
  qualifier text;
begin
  for place in select value from jsonb_array_elements(places) loop
    at := array(select jsonb_array_elements_text(place -> 'at'));
    if place ->> 'ref' is not null then
      result := jsonb_set(result, at || array['value'], jsonb_build_object('ref', place ->> 'ref'));
      continue;
    end if;
    section := case when at[1] = 'profile' then at[1:1] else at[1:3] end;
    rule := case when at[1] = 'profile' then array['drop', 'profile', at[2]] else at[1:2] || array['drop', at[4]] end;
    list := section || at[cardinality(section) + 1];
    qualifier := result #>> (at || array['qualifier']);
    result := result #- at;
    while cardinality(at) > cardinality(section) + 1 loop
      at := at[1:cardinality(at) - 1];
      exit when result #> at not in ('[]', '{}');
      result := result #- at;
    end loop;
    if qualifier is not null and jsonb_typeof(result #> rule) = 'array'
       and not coalesce(result #> list, '[]') @> jsonb_build_array(jsonb_build_object('qualifier', qualifier)) then
      result := jsonb_set(result, rule, (result #> rule) - qualifier);
    end if;
  end loop;
  return result;
end
$$;

-- What a record gives, as its row of `link` says: the value of the only reference at its path, which is what
-- sync.with_people makes of one place with a ref; or all places, see above; or, without a row, as it is. Postgres puts this
-- into the query instead of calling it, as long as it has no `set` and nothing in it is not immutable. Calling
-- sync.with_people takes as long again as parsing the record.
create or replace function sync.linked(given jsonb, path text[], value jsonb, places jsonb)
returns jsonb language sql immutable parallel safe
return case when path is not null then jsonb_set(given - 'people', path, value)
            when places is not null then sync.with_people(given, places)
            else given end;

-- A value without the references to some objects, wherever they stand. Lists of which nothing is left go too.
create or replace function sync.without_refs(whole jsonb, refs text[])
returns jsonb language plpgsql immutable parallel safe set search_path = '' as $$
begin
  if jsonb_typeof(whole) = 'object' then
    return (
      select coalesce(jsonb_object_agg(key, rest), '{}')
      from (select key, value, sync.without_refs(value, refs) as rest from jsonb_each(whole)) as member
      where value = '[]' or rest is distinct from '[]'
    );
  elsif jsonb_typeof(whole) = 'array' then
    return (
      select coalesce(jsonb_agg(sync.without_refs(value, refs) order by position), '[]')
      from jsonb_array_elements(whole) with ordinality as element (value, position)
      where jsonb_typeof(value) <> 'object' or not coalesce(value -> 'value' ->> 'ref' = any (refs), false)
    );
  end if;
  return whole;
end
$$;
