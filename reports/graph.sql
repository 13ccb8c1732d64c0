-- What the graph of tables tells. Every query reads the book alone.

-- name: last_run
-- The last run that came to its end: it described the tables.
select run.id, run.finished from run where run.finished is not null order by run.id desc limit 1;

-- name: tables
-- Every table that a database described.
select relation.id, source.name as source, relation.object, relation.rows, relation.view, relation.people, relation.described
from relation join source on source.id = relation.source
order by source.name, relation.object;

-- name: columns
-- Their columns, and what a column holds throughout.
select relation, name, type, nullable, key, entity
from relation_column
order by relation, place;

-- name: edges
-- What hangs together. `score` is 1 for what a database declares.
select edge.relation, edge.columns, edge.to_relation, edge.to_columns, edge.declared, edge.score, edge.why, edge.on_delete, edge.kind
from edge
join relation on relation.id = edge.relation join source on source.id = relation.source
join relation as above on above.id = edge.to_relation join source as there on there.id = above.source
order by source.name, relation.object, edge.columns, there.name, above.object, edge.to_columns;

-- name: findings
-- How much personal data a table holds in all, whether a column is of one kind throughout or not.
select source.name as source, holding.object, sum(holding.count) as findings, count(distinct holding.entity) as kinds,
       max(holding.class in ('sensitive', 'criminal', 'confidential')) as weighty
from holding join unit on unit.id = holding.unit join source on source.id = unit.source
where exists (select 1 from relation where relation.source = unit.source and relation.object = holding.object)
group by 1, 2;

-- name: problems
-- What a database could not say, so that edges may be missing.
select source.name as source, relation_problem.object, relation_problem.why, relation_problem.detail
from relation_problem join source on source.id = relation_problem.source
order by 1, 2, 3, 4;
