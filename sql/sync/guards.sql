-- What the guards are given. Each compares the plan with the feed as it is.

-- name: last-applied-batch
-- The batch that feed $1 was last brought in step with, apart from run $2; the order is that of applying.
select run.id, run.counts, run.value_counts, run.control_id, run.model_digest, run.record_seed, run.recognised,
       -- What the directory or the database stood in the way of may have been mended since.
       -- Nor may another run have changed anything since, also one that was cancelled or failed half-way.
       not exists (
         select from sync.run as later
         where later.feed_id = run.feed_id and later.publication is not null and later.finished_at > run.finished_at)
       and not run.without_blocks
       -- Nor did an operator want something else for a user since its records were read, nor is anybody to be looked at
       -- again or on the way out.
       and not exists (
         select from sync.override
         where greatest(created_at, ended_at, case when until <= now() then until end) > run.started_at)
       and not exists (select from sync.feed_user where feed_user.feed_id = run.feed_id and feed_user.look_again)
       and not exists (
         select from sync.feed_user where feed_user.feed_id = run.feed_id and feed_user.missing_since is not null)
       and not exists (
         select from sync.run_log
         where run_log.run_id = run.id and run_log.code in ('database', 'not-owned', 'other-feed', 'unknown-reference', 'load-failed', 'assert-failed')) as is_done,
       coalesce(jsonb_object_agg(run_file.name,
         jsonb_build_object('digest', run_file.digest, 'sizeBytes', run_file.size_bytes))
         filter (where run_file.name is not null), '{}') as files
from sync.run
left join sync.run_file on run_file.run_id = run.id
where run.id = (select applied.id from sync.run as applied
                where applied.feed_id = $1::smallint and applied.id <> $2::bigint and applied.applied
                  and applied.outcome is distinct from 'nothing-new'
                order by applied.finished_at desc limit 1)
group by run.id

-- name: group-losses
-- Members of each managed group that feed $2's users make up, and how many of them run $1 would take out of it.
with member as (
  select membership.group_code as code, count(*) as members
  from directory.membership
  join sync.feed_user on feed_user.account_id = membership.account_id
  join directory.user_group on user_group.code = membership.group_code and user_group.managed
  where feed_user.feed_id = $2::smallint
  group by membership.group_code
),
loser as (
  select code, count(*) as leaving
  from sync.change
  cross join lateral jsonb_array_elements_text(change.before -> 'user' -> 'groups') as code
  where change.run_id = $1::bigint and not change.withheld
    and change.before -> 'user' ? 'groups'
    and not change.after -> 'user' -> 'groups' ? code
  group by code
)
select member.code, member.members, coalesce(loser.leaving, 0) as leaving
from member join loser on loser.code = member.code
