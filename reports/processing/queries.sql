-- What was really found, for the record of processing activities: kinds of personal data by source and object. Published test
-- values (example.com, test cards) are nobody's and are left out.

-- name: found
select source.name as source, holding.entity, holding.class, holding.object, sum(holding.count - holding.test) as findings
from holding
join unit on unit.id = holding.unit
join source on source.id = unit.source
group by source.id, holding.entity, holding.object
having sum(holding.count - holding.test) > 0
order by source.name, holding.entity, findings desc, holding.object;

-- name: places
select source.name as source, holding.object, group_concat(distinct holding.entity) as entities,
       sum(holding.count - holding.test) as findings
from holding
join unit on unit.id = holding.unit
join source on source.id = unit.source
where holding.count > holding.test
group by source.id, holding.object
order by source.name, holding.object;

-- name: sources
select source.name as source, (select max(listed) from walk where walk.source = source.id) as walked
from source order by source.name;

-- name: last_run
select id, finished from run where finished is not null order by id desc limit 1;
