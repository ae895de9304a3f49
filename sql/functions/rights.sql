-- What a role needs that takes batches in. Made anew whenever this file changes; `migrate` then gives it again.

-- What is not listed is refused: making, altering and dropping what the schemas hold, deleting accounts, and rewriting the
-- audit log, the history of control files and runs, and the books of migrations.
create or replace function sync.daemon_rights()
returns table (kind text, object text, privileges text[]) language sql immutable set search_path = '' as $$
  values
    ('schema', 'directory', '{usage}'::text[]),
    ('schema', 'sync', '{usage}'),
    ('schema', 'sync_stage', '{usage,create}'),
    ('table', 'directory.account', '{select,insert,update}'),
    ('table', 'directory.membership', '{select,insert,delete}'),
    ('table', 'directory.object', '{select,insert,update,delete}'),
    ('table', 'directory.user_group', '{select,insert,update}'),
    ('table', 'directory.users', '{select}'),
    ('table', 'sync.api_key', '{select,insert,update}'),
    ('table', 'sync.audit', '{select,insert}'),
    ('table', 'sync.change', '{select,insert,update,delete}'),
    ('table', 'sync.chunk', '{select,insert,update,delete}'),
    ('table', 'sync.control_file', '{select,insert}'),
    ('table', 'sync.dropped_file', '{select,insert}'),
    ('table', 'sync.feed', '{select,insert,update}'),
    ('table', 'sync.feed_user', '{select,insert,update}'),
    ('table', 'sync.migration', '{select}'),
    ('table', 'sync.model', '{select,insert,update}'),
    ('table', 'sync.model_link', '{select,insert,delete}'),
    ('table', 'sync.model_object', '{select,insert}'),
    ('table', 'sync.operator', '{select,insert,update,delete}'),
    ('table', 'sync.override', '{select,insert,update}'),
    ('table', 'sync.received', '{select,insert,update}'),
    ('table', 'sync.run', '{select,insert,update}'),
    ('table', 'sync.run_file', '{select,insert,update,delete}'),
    ('table', 'sync.run_log', '{select,insert,delete}'),
    ('table', 'sync.run_transition', '{select,insert}'),
    ('table', 'sync.session', '{select,insert,update,delete}'),
    ('sequence', 'directory.account_id_seq', '{usage}'),
    ('sequence', 'directory.object_ref_seq', '{usage}'),
    ('sequence', 'directory.version', '{select}'),
    ('sequence', 'sync.publication', '{usage}'),
    ('function', 'sync.watch_links(text[])', '{execute}')
$$;

-- What a role lacks of it, as `insert on table sync.audit`.
create or replace function sync.missing_rights(of_role name)
returns setof text language sql stable set search_path = '' as $$
  select privilege || ' on ' || kind || ' ' || object
  from sync.daemon_rights() cross join lateral unnest(privileges) as privilege
  where not case kind
    when 'schema' then has_schema_privilege(of_role, object, privilege)
    when 'table' then has_table_privilege(of_role, object, privilege)
    when 'sequence' then has_sequence_privilege(of_role, object, privilege)
    else has_function_privilege(of_role, object, privilege) end
  union all
  select 'temporary on database ' || current_database()
  where not has_database_privilege(of_role, current_database(), 'temporary')
$$;

-- Gives a role these rights in the three schemas and no others. Staging tables that the owner left when it took batches in
-- itself go: the role could not drop them, and a run whose table is gone is staged again.
create or replace function sync.grant_daemon(to_role name)
returns void language plpgsql set search_path = '' as $$
declare
  needed record;
  leftover regclass;
begin
  if pg_has_role(to_role, (select nspowner from pg_namespace where nspname = 'sync'), 'usage') then
    raise exception 'it owns the schemas, or is a superuser: it can do everything already';
  end if;
  execute format('revoke all on schema directory, sync, sync_stage from %I', to_role);
  execute format('revoke all on all tables in schema directory, sync from %I', to_role);
  execute format('revoke all on all sequences in schema directory, sync from %I', to_role);
  for needed in select * from sync.daemon_rights() loop
    execute format('grant %s on %s %s to %I', array_to_string(needed.privileges, ', '), needed.kind, needed.object, to_role);
  end loop;
  if not has_database_privilege(to_role, current_database(), 'temporary') then
    execute format('grant temporary on database %I to %I', current_database(), to_role);
  end if;
  for leftover in
    select pg_class.oid from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where nspname = 'sync_stage' and relkind = 'r' and relowner = nspowner
  loop
    execute format('drop table %s', leftover);
  end loop;
end
$$;

revoke execute on function sync.grant_daemon(name) from public;

-- For roles that had been given the rights of an earlier version: they are those that may make staging tables. One that has
-- come to own the schemas since needs none.
create or replace function sync.renew_daemon_rights()
returns void language sql set search_path = '' as $$
  select sync.grant_daemon(pg_get_userbyid(grantee))
  from pg_namespace cross join lateral aclexplode(nspacl)
  where nspname = 'sync_stage' and privilege_type = 'CREATE' and grantee <> 0
    and not pg_has_role(grantee, nspowner, 'usage')
$$;

revoke execute on function sync.renew_daemon_rights() from public;
