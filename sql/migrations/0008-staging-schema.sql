-- Staging tables have a schema of their own: whoever takes batches in makes and drops tables there, and nowhere else.

create schema sync_stage;

comment on schema sync_stage is 'Private to user-sync: batches while they are compared. Made and dropped run by run.';

do $$
declare
  stage name;
begin
  for stage in
    select relname from pg_class
    where relnamespace = 'sync'::regnamespace and relkind = 'r' and relname ~ '^stage_[0-9]+(_[a-z_]+)?$'
  loop
    execute format('alter table sync.%I set schema sync_stage', stage);
  end loop;
end
$$;

-- What was published is not altered any more, except by the owner of the table. Runs are looked up once a statement.
alter table sync.change enable row level security;

create policy anybody_reads on sync.change for select using (true);
create policy anybody_plans on sync.change for insert with check (true);
create policy unpublished_is_altered on sync.change for update
  using (run_id in (select id from sync.run where publication is null));
create policy unpublished_is_dropped on sync.change for delete
  using (run_id in (select id from sync.run where publication is null));
