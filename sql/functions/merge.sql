-- How what a record gives joins what the directory holds. Made anew whenever this file changes.

-- The values of one attribute: the first `lead` given ones, the existing ones that are kept, the other given ones; none
-- twice. `dropped` lists the qualifiers whose existing values go, null among them for values without a qualifier.
create or replace function sync.merged_values(existing jsonb, given jsonb, dropped jsonb, lead integer)
returns jsonb language sql immutable parallel safe set search_path = '' as $$
  select coalesce(jsonb_agg(entry order by place), '[]')
  from (
    select entry, min(place) as place
    from (
      select entry, case when position <= lead then position else position + 2000000 end as place
      from jsonb_array_elements(given) with ordinality as given_values (entry, position)
      union all
      select entry, position + 1000000
      from jsonb_array_elements(case when jsonb_typeof(existing) = 'array' then existing else '[]' end)
        with ordinality as existing_values (entry, position)
      where not dropped @> coalesce(entry -> 'qualifier', 'null'::jsonb)
    ) as all_values
    group by entry
  ) as distinct_values
$$;

-- The attributes of an object. `given` are attributes with their values; an attribute in `dropped` as true loses all
-- existing values, as a list those of these qualifiers; one not in `dropped` is replaced when given. The first given
-- value of the attribute `first_of` comes before the existing ones.
create or replace function sync.merged_attributes(existing jsonb, given jsonb, dropped jsonb, first_of text default null)
returns jsonb language plpgsql immutable parallel safe set search_path = '' as $$
declare
  result jsonb := existing || given;
  attribute text;
  rule jsonb;
begin
  for attribute, rule in select * from jsonb_each(dropped) loop
    if jsonb_typeof(rule) = 'array' then
      result := result || jsonb_build_object(attribute, sync.merged_values(
        coalesce(existing -> attribute, '[]'), coalesce(given -> attribute, '[]'), rule,
        case when attribute = first_of then 1 else 0 end));
    elsif not given ? attribute then
      result := result - attribute;
    end if;
    if result -> attribute = '[]' then
      result := result - attribute;
    end if;
  end loop;
  return result;
end
$$;

-- A whole profile. The name of the person stays first among the titles and, unless the record says otherwise, qualified
-- titles are kept behind it.
create or replace function sync.merged_profile(existing jsonb, given jsonb, dropped jsonb)
returns jsonb language plpgsql immutable parallel safe set search_path = '' as $$
declare
  title constant text := 'dc:attribute:title';
begin
  if not coalesce(dropped, '{}') ? title and jsonb_typeof(existing -> title) = 'array'
     and existing -> title <> coalesce(given -> title, '[]') then
    dropped := coalesce(dropped, '{}') || jsonb_build_object(title, '[null]'::jsonb);
  end if;
  return sync.merged_attributes(existing, given, dropped, title);
end
$$;

-- The dictionaries of an account: names that are given are set, those in `dropped` ({destination: [name]}) go, and so do
-- dictionaries of which nothing is left.
create or replace function sync.merged_dictionaries(existing jsonb, given jsonb, dropped jsonb)
returns jsonb language sql immutable parallel safe set search_path = '' as $$
  select coalesce(jsonb_object_agg(dictionary, merged) filter (where merged <> '{}'), '{}')
  from (
    select dictionary,
           (coalesce(existing -> dictionary, '{}') || coalesce(given -> dictionary, '{}'))
             - array(select jsonb_array_elements_text(dropped -> dictionary)) as merged
    from (
      select jsonb_object_keys(existing) union select jsonb_object_keys(coalesce(given, '{}'))
    ) as known (dictionary)
  ) as merged_dictionary
$$;
