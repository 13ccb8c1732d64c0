-- What was read and what was not, question by question. A reason is one of the program's words (denied, encrypted, …), or `sample` where
-- only part of a table was read on purpose, or `library` where something that reads such files is not installed.

-- name: last_run
select id, started, finished from run where finished is not null order by id desc limit 1;

-- name: sources
select source.name as source, count(coverage.source) as objects,
       count(*) filter (where status = 'complete') as complete,
       count(*) filter (where status = 'partial') as partial,
       count(*) filter (where status = 'skipped') as skipped,
       count(*) filter (where status = 'failed') as failed,
       coalesce(sum(bytes), 0) as bytes, coalesce(sum(rows), 0) as rows,
       (select max(listed) from walk where walk.source = source.id) as walked
from source left join coverage on coverage.source = source.name
group by source.id
order by source.name;

-- name: reasons
-- Why something was not read, by reason and source: so many places, in so many objects.
with told as (
    select unit.source, problem.object,
           case when problem.detail like 'a sample:%' then 'sample'
                when problem.why = 'unsupported' and (problem.detail like '%not installed%' or problem.detail like '%pip install%') then 'library'
                else problem.why end as why
    from problem join unit on unit.id = problem.unit
    union all
    select source, object, why from unlisted
)
select why, source.name as source, count(*) as places, count(distinct object) as objects
from told join source on source.id = told.source
group by why, source.id
order by sum(count(*)) over (partition by why) desc, why, objects desc, source.name;

-- name: details
-- The same in the program's own words, the most frequent first.
with told as (
    select case when problem.detail like 'a sample:%' then 'sample'
                when problem.why = 'unsupported' and (problem.detail like '%not installed%' or problem.detail like '%pip install%') then 'library'
                else problem.why end as why,
           problem.detail
    from problem
    union all
    select why, detail from unlisted
)
select why, detail, count(*) as places from told
where detail <> '' and why <> 'sample'
group by why, detail
order by why, places desc, detail;

-- name: unread
-- The objects that were not read to their end, the worst first.
select * from coverage
where status <> 'complete'
order by case status when 'failed' then 1 when 'skipped' then 2 else 3 end, source, object;

-- name: every
-- Every object.
select * from coverage;

-- name: problems
-- Every place that was not read.
select source.name as source, told.object, told.record, told.field, told.why, told.detail
from (
    select unit.source, problem.object, problem.record, problem.field,
           case when problem.detail like 'a sample:%' then 'sample'
                when problem.why = 'unsupported' and (problem.detail like '%not installed%' or problem.detail like '%pip install%') then 'library'
                else problem.why end as why,
           problem.detail
    from problem join unit on unit.id = problem.unit
    union all
    select source, object, '', '', why, detail from unlisted
) as told
join source on source.id = told.source
order by source.name, told.object, told.record, told.field;
