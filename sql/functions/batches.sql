-- Which batch is the newer one. Made anew whenever this file changes.

-- The run whose batch a run has: itself, unless it applies an earlier one again.
create or replace function sync.batch_of(run_id bigint)
returns bigint language sql stable set search_path = '' as $$
  with recursive origin as (
    select run.id, run.kind, run.of_run from sync.run where run.id = run_id
    union all
    select run.id, run.kind, run.of_run from origin join sync.run on run.id = origin.of_run
    where origin.kind = 'reapply'
  )
  select min(id) from origin
$$;
