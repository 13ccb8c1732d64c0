-- What the overview tells, question by question. Every query reads the book alone; the page beside it shows the answers.
-- Classes stand in the order in which they weigh. What changed is asked in changes/queries.sql.

-- name: last_run
-- The last run that came to its end.
select run.id, run.started, run.finished,
       cast(round((julianday(run.finished) - julianday(run.started)) * 86400) as integer) as seconds
from run
where run.finished is not null
order by run.id desc
limit 1;

-- name: open_run
-- A later run that has not come to its end: killed, or still going on.
select run.id, run.started
from run
where run.finished is null
  and run.id > (select coalesce(max(id), 0) from run where finished is not null)
order by run.id desc
limit 1;

-- name: headline
-- The whole in a few figures.
select (select count(*) from source) as sources,
       (select count(*) from coverage) as objects,
       (select coalesce(sum(bytes), 0) from coverage) as bytes,
       (select coalesce(sum(rows), 0) from coverage) as rows,
       coalesce(sum(count), 0) as findings,
       count(distinct source || char(0) || object) as objects_with_findings,
       coalesce(sum(count) filter (where class = 'sensitive'), 0) as sensitive,
       coalesce(sum(count) filter (where class = 'criminal'), 0) as criminal,
       coalesce(sum(count) filter (where class = 'confidential'), 0) as confidential
from data_map;

-- name: reading
-- How many objects were read to their end, in part, or not at all.
select source,
       count(*) as objects,
       count(*) filter (where status = 'complete') as complete,
       count(*) filter (where status = 'partial') as partial,
       count(*) filter (where status = 'skipped') as skipped,
       count(*) filter (where status = 'failed') as failed,
       sum(bytes) as bytes,
       sum(rows) as rows
from coverage
group by source
order by source;

-- name: reasons
-- Why something was not read: the reason stands before the colon, the rest is detail.
select status,
       case when reason = '' then '' when instr(reason, ':') then substr(reason, 1, instr(reason, ':') - 1) else reason end as reason,
       count(*) as objects
from coverage
where status <> 'complete'
group by 1, 2
order by case status when 'failed' then 1 when 'skipped' then 2 else 3 end, objects desc, reason
limit :rows_per_list;

-- name: not_read
-- The objects that were not read to their end, the worst first.
select source, object, kind, status, reason, count(*) over () as total
from coverage
where status <> 'complete'
order by case status when 'failed' then 1 when 'skipped' then 2 else 3 end, source, object
limit :rows_per_list;

-- name: classes
-- Findings by class.
with weight (class, place) as (values ('sensitive', 1), ('criminal', 2), ('confidential', 3), ('general', 4), ('technical', 5))
select weight.class,
       coalesce(sum(data_map.count), 0) as findings,
       count(distinct data_map.entity) as entities,
       count(distinct data_map.source || char(0) || data_map.object) as objects,
       count(distinct data_map.source) as sources
from weight
left join data_map on data_map.class = weight.class
group by weight.class
order by weight.place;

-- name: mix
-- Findings by source and class, the zeros too: the bars.
with weight (class, place) as (values ('sensitive', 1), ('criminal', 2), ('confidential', 3), ('general', 4), ('technical', 5)),
summed as (select source, class, sum(count) as findings from data_map group by source, class)
select found.source, weight.class, coalesce(summed.findings, 0) as findings
from (select distinct source from summed) as found
cross join weight
left join summed on summed.source = found.source and summed.class = weight.class
order by found.source, weight.place;

-- name: entities
-- The kinds of personal data that there is most of.
select entity, class, sum(count) as findings,
       count(distinct source || char(0) || object) as objects,
       count(distinct source) as sources
from data_map
group by entity, class
order by findings desc, entity
limit 12;

-- name: map
-- What lies where: source, object, field, entity. In each source the objects that weigh most come first.
with weight (class, place) as (values ('sensitive', 1), ('criminal', 2), ('confidential', 3), ('general', 4), ('technical', 5)),
lines as (
    select data_map.*, weight.place,
           row_number() over (partition by source, object order by weight.place, count desc, field, entity) as line,
           min(weight.place) over (partition by source, object) as worst,
           sum(count) over (partition by source, object) as object_findings,
           count(*) over (partition by source, object) as object_lines
    from data_map join weight on weight.class = data_map.class
),
ranked as (
    select lines.*, dense_rank() over (partition by source order by worst, object_findings desc, object) as object_place
    from lines
),
counted as (
    select ranked.*, max(object_place) over (partition by source) as source_objects
    from ranked
)
select source, object, field, entity, class, count, records, share, example, first_seen, last_seen,
       object_findings, object_lines, source_objects
from counted
where line <= :rows_per_object and object_place <= :objects_per_source
order by source, object_place, line;
