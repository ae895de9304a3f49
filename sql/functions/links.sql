-- Whose an object is. Made anew whenever this file changes.

-- Sets the owner of an object from the attribute that links it, whoever writes it.
create or replace function directory.note_owner() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  new.owner := (
    select (entry -> 'value' ->> 'ref')::bigint
    from sync.model_link
    cross join lateral jsonb_array_elements(
      case when jsonb_typeof(new.attributes -> model_link.attribute) = 'array'
           then new.attributes -> model_link.attribute else '[]' end) as entry
    where model_link.type = any (new.types) and entry -> 'value' ->> 'ref' ~ '^[1-9][0-9]{0,17}$'
    limit 1
  );
  return new;
end
$$;

-- Has the owners of objects of these types noted, and of no others: what is said in the trigger itself costs the many
-- profiles next to nothing. It acts with the owner's rights, since whoever installs a model need not own the table.
create or replace function sync.watch_links(linked_types text[]) returns void
language plpgsql security definer set search_path = '' as $$
begin
  drop trigger if exists note_owner on directory.object;
  if cardinality(linked_types) > 0 then
    execute format(
      'create trigger note_owner before insert or update of types, attributes on directory.object
       for each row when (new.types && %L::text[]) execute function directory.note_owner()', linked_types);
  end if;
end
$$;

revoke execute on function sync.watch_links(text[]) from public;
