-- What changed after the run :base came to its end (0: from the very beginning), question by question. The book keeps what
-- each run added (`holding_change`, `object_change`): what stood there before is what stands there now, less that.
-- Sources that were first walked to their end after that run are told as a whole, as `new_sources`.

-- name: new_sources
-- Sources that nobody had walked to their end before.
with known as (select source from walk where listed is not null group by source having min(run) <= :base)
select source.name as source,
       (select count(*) from coverage where coverage.source = source.name) as objects,
       (select count(*) from coverage where coverage.source = source.name and status <> 'complete') as unread,
       coalesce(sum(holding.count), 0) as findings,
       coalesce(sum(holding.count) filter (where class = 'sensitive'), 0) as sensitive,
       coalesce(sum(holding.count) filter (where class = 'criminal'), 0) as criminal,
       coalesce(sum(holding.count) filter (where class = 'confidential'), 0) as confidential
from source
left join unit on unit.source = source.id
left join holding on holding.unit = unit.id
where source.id not in (select source from known)
group by source.id
order by source.name;

-- name: not_walked
-- Sources that no later run has walked to its end: nothing is known of what may have changed in them.
select source.name as source, max(walk.listed) as walked
from source join walk on walk.source = source.id
group by source.id
having coalesce(max(walk.run) filter (where walk.listed is not null), 0) <= :base
order by source.name;

-- name: by_source
-- Findings of each known source, before and now.
with known as (select source from walk where listed is not null group by source having min(run) <= :base),
moved as (select source, sum(delta) as delta from holding_change where run > :base group by source),
held as (select unit.source, sum(holding.count) as findings from holding join unit on unit.id = holding.unit group by unit.source)
select source.name as source, coalesce(held.findings, 0) - coalesce(moved.delta, 0) as before, coalesce(held.findings, 0) as after
from known
join source on source.id = known.source
left join moved on moved.source = source.id
left join held on held.source = source.id
order by source.name;

-- name: objects
-- Objects of known sources that came, went, or are read to their end no more, or again. `lies` is 0 for a folder that cannot be
-- listed: it is no object, only a place where objects may lie.
with known as (select source from walk where listed is not null group by source having min(run) <= :base),
moved as (
    select source, object, sum(units) as units, sum(unread) as unread
    from object_change
    where run > :base and source in (select source from known)
    group by source, object
    having sum(units) <> 0 or sum(unread) <> 0
),
there as (
    select source, object, sum(units) as units, sum(unread) as unread, max(lies) as lies, max(reason) as reason
    from (
        select unit.source, object.object, count(*) as units, sum(object.status <> 'complete') as unread, 1 as lies,
               max(object.reason) as reason
        from object join unit on unit.id = object.unit
        where (unit.source, object.object) in (select source, object from moved)
        group by unit.source, object.object
        union all
        select source, object, 1, 1, 0, why || case when detail <> '' then ': ' || detail else '' end
        from unlisted
        where (source, object) in (select source, object from moved)
    )
    group by source, object
),
lost as (
    select source, object, -sum(delta) as findings from holding_change
    where run > :base and (source, object) in (select source, object from moved)
    group by source, object
),
held as (
    select unit.source, holding.object, sum(holding.count) as findings,
           min(case holding.class when 'sensitive' then 1 when 'criminal' then 2 when 'confidential' then 3 when 'general' then 4 else 5 end) as weight
    from holding join unit on unit.id = holding.unit
    where (unit.source, holding.object) in (select source, object from moved)
    group by unit.source, holding.object
),
told as (
    select moved.source, moved.object,
           coalesce(there.lies, not (moved.object = '' or moved.object like '%/')) as lies,
           coalesce(there.units, 0) - moved.units as units_before, coalesce(there.units, 0) as units,
           coalesce(there.unread, 0) - moved.unread as unread_before, coalesce(there.unread, 0) as unread,
           coalesce(there.reason, '') as reason,
           coalesce(held.findings, 0) as findings, coalesce(held.findings, 0) + coalesce(lost.findings, 0) as findings_before,
           coalesce(held.weight, 6) as weight
    from moved
    left join there on there.source = moved.source and there.object = moved.object
    left join held on held.source = moved.source and held.object = moved.object
    left join lost on lost.source = moved.source and lost.object = moved.object
),
judged as (
    select told.*,
           case when units > 0 and units_before <= 0 and lies then 'new'
                when units = 0 and lies then 'gone'
                when unread > 0 and unread_before <= 0 then 'unread'
                when unread = 0 and unread_before > 0 then 'readable' end as what
    from told
)
select what, source.name as source, object, findings_before as before, findings as after, reason,
       case weight when 1 then 'sensitive' when 2 then 'criminal' when 3 then 'confidential' when 4 then 'general'
                   when 5 then 'technical' else '' end as class
from judged join source on source.id = judged.source
where what is not null
order by case what when 'new' then 1 when 'gone' then 2 when 'unread' then 3 else 4 end, weight, findings + findings_before desc,
         source.name, object;

-- name: holdings
-- Kinds of personal data in objects that were there before and still are: new in a place, gone from it, more or fewer.
-- What an object that cannot be read any more has lost is not told: `objects` tells of it. `new_field`: the field held nothing before. `new_class`: the object held nothing of that class before.
with known as (select source from walk where listed is not null group by source having min(run) <= :base),
moved as (
    select source, object, field, entity, max(class) as class, sum(delta) as delta
    from holding_change
    where run > :base and source in (select source from known)
    group by source, object, field, entity
    having sum(delta) <> 0
),
came as (select source, object, sum(units) as units, sum(unread) as unread from object_change where run > :base group by source, object),
there as (
    select unit.source, object.object, count(*) as units
    from object join unit on unit.id = object.unit
    where (unit.source, object.object) in (select source, object from moved)
    group by unit.source, object.object
),
held as (
    select unit.source, holding.object, holding.field, holding.entity, holding.class, sum(holding.count) as findings,
           sum(holding.test) as test
    from holding join unit on unit.id = holding.unit
    where (unit.source, holding.object) in (select source, object from moved)
    group by unit.source, holding.object, holding.field, holding.entity
),
before as (
    select source, object, field, entity, class, findings from held
    union all
    select source, object, field, entity, class, -delta from moved
),
fields as (select source, object, field, sum(findings) as findings from before group by source, object, field),
classes as (select source, object, class, sum(findings) as findings from before group by source, object, class)
select case when coalesce(held.findings, 0) = moved.delta then 'new'
            when held.findings is null then 'gone'
            when moved.delta > 0 then 'more' else 'fewer' end as what,
       source.name as source, moved.object, moved.field, moved.entity, moved.class,
       coalesce(held.findings, 0) - moved.delta as before, coalesce(held.findings, 0) as after, coalesce(held.test, 0) as test,
       coalesce(fields.findings, 0) <= 0 as new_field, coalesce(classes.findings, 0) <= 0 as new_class
from moved
join source on source.id = moved.source
join there on there.source = moved.source and there.object = moved.object
left join came on came.source = moved.source and came.object = moved.object
left join held on held.source = moved.source and held.object = moved.object and held.field = moved.field and held.entity = moved.entity
left join fields on fields.source = moved.source and fields.object = moved.object and fields.field = moved.field
left join classes on classes.source = moved.source and classes.object = moved.object and classes.class = moved.class
where there.units > coalesce(came.units, 0) and not (moved.delta < 0 and coalesce(came.unread, 0) > 0)
order by case what when 'new' then 1 when 'gone' then 2 when 'more' then 3 else 4 end,
         case moved.class when 'sensitive' then 1 when 'criminal' then 2 when 'confidential' then 3 when 'general' then 4 else 5 end,
         abs(moved.delta) desc, source.name, moved.object, moved.field, moved.entity;
