-- Staging: where a run's records wait while they are compared. {{stage}} is the run's own unlogged table.

-- name: create-stage
-- Rows up to a page stay whole and uncompressed: they are written once and read once or twice. Rows of records that were
-- recognised have neither `mapped` nor `raw`; rejected ones no `digest`.
create unlogged table {{stage}} (
  seq           integer not null,
  file          smallint not null,
  record        integer not null,
  line          integer not null,
  byte          bigint not null,
  username      text collate "C" not null,
  digest        uuid,
  record_digest uuid,
  given         bytea,
  in_error      boolean not null,
  mapped        text,
  raw           text
) with (toast_tuple_target = 8160, autovacuum_enabled = false)

-- name: end-late-staging
-- Ends the sessions that still copy into the table $1: a process that was frozen, and lost the run, never would.
select pg_terminate_backend(pid) as ended from pg_locks
where relation = to_regclass($1::text) and database = (select oid from pg_database where datname = current_database())
  and mode = 'RowExclusiveLock' and granted

-- name: drop-stage
-- With what was set apart for planning, should that have been left behind.
drop table if exists {{stage}}, {{stage}}_candidate, {{stage}}_link, {{stage}}_dependent_change

-- name: copy-stage
copy {{stage}} from stdin

-- name: list-stages
-- Staging tables by run, for finding those that nothing needs any more. Those of another role are that one's to drop.
select substring(relname from '^stage_([0-9]+)$')::bigint as run_id
from pg_catalog.pg_class
where relnamespace = 'sync_stage'::regnamespace and relkind = 'r' and relname ~ '^stage_[0-9]+$'
  and pg_has_role(relowner, 'usage')

-- name: unneeded-stages
-- Of the runs $1, those whose staging table can go: all but runs under way or held, and the last applied one of a feed,
-- which answers what was received for someone.
select run.id as run_id
from sync.run
where run.id = any ($1::bigint[])
  and run.status not in ('planning', 'held', 'applying')
  and run.id is distinct from (
    select last.id from sync.run as last
    where last.feed_id = run.feed_id and last.applied and last.outcome is distinct from 'nothing-new'
    order by last.id desc limit 1)

-- name: count-stage
select count(*) as staged from {{stage}}

-- name: stage-exists
-- One of another role counts as not there: it cannot be read, and what is staged again is the same.
select exists (select from pg_catalog.pg_class
               where oid = to_regclass($1::text) and pg_has_role(relowner, 'usage')) as exists

-- name: staged-user
-- What the batch of run $2 held for one user. A record that was recognised is the one taken in by then.
select stage.file, stage.record, stage.line, stage.byte, stage.digest is not null as accepted, stage.mapped,
       coalesce(stage.raw, received.raw) as raw
from {{stage}} as stage
left join sync.received on received.username = stage.username and received.run_id <= $2::bigint
where stage.username = $1::text order by stage.seq
