-- The book: what was scanned, what was found in it, and what was not read.
--
-- It holds addresses, counts, scores, shapes and keyed digests; never a value of anybody's.
-- The findings themselves lie beside this file in segments: one segment holds the findings of many units (as Arrow
-- files, each with its sorted digests beside it), and counts only when a row of `segment` names it. That row is
-- written in the same transaction as the units it serves, so a crash leaves either all of it or none.

-- What this inventory is. One row a key: 'version' (of this schema), 'id', 'key_check' (proves that the
-- digest key is the one that the digests were made with, without saying what it is).
create table meta (
    key   text primary key,
    value text not null
) strict, without rowid;

-- A place that is scanned, under the name or URL it was scanned with; never with its password.
create table source (
    id   integer primary key,
    name text not null unique check (name <> ''),
    url  text not null
) strict;

-- One run of `persondata scan`, from its start to its end. A run without an end was killed or is going on;
-- the next scan of the same sources under the same rules takes it up where it was.
create table run (
    id       integer primary key,
    started  text not null,                 -- UTC, ISO 8601
    finished text check (finished >= started),
    rules    text not null,                 -- digest of the rules and dials that decide what is found
    summary  text                           -- the JSON summary that the run printed
) strict;

-- A source as walked by a run: `listed` is set when its listing reached the end, which is when things
-- that were not listed any more could leave the inventory.
create table walk (
    run    integer not null references run on delete cascade,
    source integer not null references source on delete cascade,
    listed text,
    primary key (run, source)
) strict, without rowid;

-- The smallest thing that is read and recorded as done. `part` is '' but for the key ranges of a large table.
-- An empty fingerprint means that the source cannot tell whether the unit has changed: it is read in every run.
create table unit (
    id          integer primary key,
    source      integer not null references source on delete cascade,
    object      text not null,
    part        text not null default '',
    kind        text not null,
    fingerprint text not null,
    rules       text not null,
    retry       integer not null default 0 check (retry in (0, 1)),   -- 1: failed in a way that may pass
    run         integer not null references run,                       -- that read it last
    segment     integer references segment,                            -- null: no findings
    in_segment  integer not null default 0 check (in_segment >= 0),    -- rows of the segment that are this unit's
    unique (source, object, part)
) strict;

create index unit_run on unit (run);
create index unit_parts on unit (source, object) where part <> '';
create index unit_segment on unit (segment) where segment is not null;

-- Findings beside the book, in as many `parts` as it takes. `live` of the `findings` belong to units that are in the
-- book; the rest is dead, is passed over by every reader, and is left out when the segment is written anew.
create table segment (
    id       integer primary key,
    file     text not null unique,
    findings integer not null check (findings >= 0),
    parts    integer not null default 1 check (parts >= 0),
    live     integer not null default 0
) strict;

create trigger unit_leaves before delete on unit when old.segment is not null
begin
    update segment set live = live - old.in_segment where id = old.segment;
end;

-- What reading a unit gave for one object in it (a container holds many). One row an object and unit.
create table object (
    unit       integer not null references unit on delete cascade,
    object     text not null,
    kind       text not null,
    status     text not null check (status in ('complete', 'partial', 'skipped', 'failed')),
    reason     text not null default '',
    bytes      integer not null default 0,
    rows       integer not null default 0,
    first_seen text not null,
    primary key (unit, object)
) strict, without rowid;

create index object_unread on object (status, unit) where status <> 'complete';

-- A large table of which `scan --sample` read a part: `object.rows` of about `rows_there` rows. `missed` is the chance
-- (at most) that a column in which at least one row in a thousand holds a finding was missed.
create table sample (
    unit       integer not null references unit on delete cascade,
    object     text not null,
    rows_there integer not null check (rows_there >= 0),
    missed     real not null check (missed between 0 and 1),
    primary key (unit, object)
) strict, without rowid;

-- Something that was not read, with its reason. A result like any other.
create table problem (
    id     integer primary key,
    unit   integer not null references unit on delete cascade,
    object text not null,
    record text not null default '',
    field  text not null default '',
    why    text not null,
    detail text not null default ''
) strict;
create index problem_unit on problem (unit);

-- Places below which a source could not even be listed (a folder without permission), as of the last walk.
create table unlisted (
    source integer not null references source on delete cascade,
    object text not null,
    why    text not null,
    detail text not null default '',
    primary key (source, object)
) strict, without rowid;

-- The data map: how much of an entity lies in one field of one object. `filled` counts the records of the
-- field that hold anything; `findings_in_segment` of the `count` are written out one by one in the segment,
-- the rest is a column that is this entity throughout and is recorded as one fact.
create table holding (
    unit                integer not null references unit on delete cascade,
    object              text not null,
    field               text not null,
    entity              text not null,
    class               text not null check (class in ('general', 'confidential', 'sensitive', 'criminal', 'technical')),
    count               integer not null check (count >= 1),
    records             integer not null check (records between 1 and count),
    filled              integer not null check (filled >= records),
    findings_in_segment integer not null check (findings_in_segment between 0 and count),
    test                integer not null check (test between 0 and count),   -- of them published test values
    score               real not null check (score between 0 and 1),   -- the highest
    example             text not null,                                 -- its shape only
    first_seen          text not null,
    primary key (unit, object, field, entity)
) strict, without rowid;

-- What changed from run to run: an object came, was read anew with another content, or is gone.
create table change (
    id     integer primary key,
    run    integer not null references run on delete cascade,
    source integer not null references source on delete cascade,
    object text not null,
    what   text not null check (what in ('new', 'changed', 'gone')),
    before integer not null default 0,      -- findings before
    after  integer not null default 0       -- findings after
) strict;
create index change_run on change (run);

-- By how much a run changed what an object holds: findings of one entity in one field, added up over the units that were read,
-- replaced or gone, written in the transaction that records them. What stood there before a run is what stands there now less
-- what every later run has added. Nothing is written of the runs before a source was first walked to its end: all was new.
create table holding_change (
    run    integer not null references run on delete cascade,
    source integer not null references source on delete cascade,
    object text not null,
    field  text not null,
    entity text not null,
    class  text not null check (class in ('general', 'confidential', 'sensitive', 'criminal', 'technical')),
    delta  integer not null,
    primary key (run, source, object, field, entity)
) strict, without rowid;

-- The same of the object itself: in how many more units (a folder that cannot be listed counts as one) it lies, and in how many
-- more of them it is not complete.
create table object_change (
    run    integer not null references run on delete cascade,
    source integer not null references source on delete cascade,
    object text not null,
    units  integer not null,
    unread integer not null,
    primary key (run, source, object)
) strict, without rowid;

-- The tables of a database as it describes them, so that one person's rows can be found through them (`subject/graph.py`),
-- written at the end of a scan. `rows` is about right; in a table of `people` a row is one person, or an account of one.
-- `described` is JSON: primary key, unique keys, indexes (leading columns), foreign keys, triggers.
create table relation (
    id        integer primary key,
    source    integer not null references source on delete cascade,
    object    text not null,
    rows      integer not null default 0 check (rows >= 0),
    view      integer not null default 0 check (view in (0, 1)),
    people    integer not null default 0 check (people in (0, 1)),
    described text not null check (json_valid(described)),
    unique (source, object)
) strict;

-- Its columns in their order; `key` is their place in the primary key (0: not in it), `entity` what they hold throughout.
create table relation_column (
    relation integer not null references relation on delete cascade,
    place    integer not null check (place >= 1),
    name     text not null,
    type     text not null,
    nullable integer not null check (nullable in (0, 1)),
    key      integer not null default 0 check (key >= 0),
    entity   text not null default '',
    primary key (relation, place)
) strict, without rowid;

-- What hangs together: `columns` (JSON lists) of one table hold values of `to_columns` of another, which may lie in another
-- source. Declared by the database, or inferred with a score and a reason in words. `kind`: whether the row belongs to the one
-- that it points at, was handled by that person, is another person's (related), points at a catalogue, or has a part there.
create table edge (
    id          integer primary key,
    relation    integer not null references relation on delete cascade,
    columns     text not null check (json_valid(columns)),
    to_relation integer not null references relation on delete cascade,
    to_columns  text not null check (json_valid(to_columns)),
    declared    integer not null check (declared in (0, 1)),
    score       real not null check (score between 0 and 1),
    why         text not null,
    on_delete   text not null default '',
    kind        text not null check (kind in ('owner', 'handler', 'catalogue', 'related', 'part')),
    unique (relation, columns, to_relation, to_columns)
) strict;
create index edge_to on edge (to_relation);

-- What a database could not say when its tables were described, so that edges may be missing.
create table relation_problem (
    source integer not null references source on delete cascade,
    object text not null,
    why    text not null,
    detail text not null default '',
    primary key (source, object, why, detail)
) strict, without rowid;

-- When a source was last walked to its end: everything of it that is in the book was there then.
create view last_walk as
    select source.id as source, max(walk.listed) as listed
    from source left join walk on walk.source = source.id
    group by source.id;

-- `persondata inventory`: one row a (source, object, field, entity); units of one table added up.
create view data_map as
    select source.name as source, holding.object as object, holding.field as field, holding.entity as entity,
           holding.class as class, sum(holding.count) as count, sum(holding.records) as records,
           round(1.0 * sum(holding.records) / sum(holding.filled), 4) as share,
           round(max(holding.score), 3) as score, min(holding.example) as example,
           min(holding.first_seen) as first_seen, coalesce(max(last_walk.listed), max(run.started)) as last_seen,
           sum(holding.test) as test
    from holding
    join unit on unit.id = holding.unit
    join source on source.id = unit.source
    join run on run.id = unit.run
    left join last_walk on last_walk.source = unit.source
    group by source.name, holding.object, holding.field, holding.entity
    order by 1, 2, 3, 4;

-- `persondata coverage`: one row an object; the worst of its units decides, and only all of them make it complete.
-- `rows_there` and `missed` are those of a sample.
create view coverage as
    select source.name as source, object.object as object, min(object.kind) as kind,
           case when count(distinct object.status) = 1 then min(object.status)
                when max(object.status in ('complete', 'partial')) then 'partial'
                else 'failed' end as status,
           group_concat(distinct nullif(object.reason, '')) as reason,
           sum(object.bytes) as bytes, sum(object.rows) as rows,
           max(sample.rows_there) as rows_there, max(sample.missed) as missed
    from object
    left join sample on sample.unit = object.unit and sample.object = object.object
    join unit on unit.id = object.unit
    join source on source.id = unit.source
    group by source.name, object.object
    union all
    select source.name, unlisted.object, 'folder', 'failed',
           unlisted.why || case when unlisted.detail <> '' then ': ' || unlisted.detail else '' end, 0, 0, null, null
    from unlisted join source on source.id = unlisted.source
    order by 1, 2;

-- What somebody has asked for under GDPR Art. 15 to 21. `name` is like 2026-0007 and says nothing of anybody. Her identifiers
-- stand here only `sealed` (AES-256-GCM under the inventory's key, bound to the name), for as long as they are needed to search
-- again: until the request is closed, and at the latest until the day `erase_on`.
create table request (
    id        integer primary key,
    name      text not null unique check (name glob '[0-9][0-9][0-9][0-9]-[0-9]*'),
    kind      text not null check (kind in ('access', 'deletion', 'rectification', 'portability', 'objection', 'restriction')),
    state     text not null check (state in ('opened', 'identified', 'searched', 'reviewed', 'answered', 'withdrawn', 'closed')),
    received  text not null,                 -- the day that the law counts from
    extended  text,                          -- the day on which she was told that it takes two months more, and why
    answered  text,                          -- the day of the answer, or of the withdrawal
    complete  integer check (complete in (0, 1)),   -- whether the last search reached everything; null: not searched
    sealed    blob,                          -- null: erased
    erase_on  text
) strict;

-- Keyed digests of what was known of her, in a realm of their own: they tell whether the same person has asked before,
-- and cannot be joined with findings.
create table request_digest (
    request integer not null references request on delete cascade,
    entity  text not null,
    digest  blob not null,
    primary key (request, entity, digest)
) strict, without rowid;
create index request_digest_same on request_digest (digest);

-- What was done with a request, when, and who did it. `note` is sealed: people write names into notes.
create table request_event (
    id      integer primary key,
    request integer not null references request on delete cascade,
    at      text not null,                   -- UTC, ISO 8601
    who     text not null,
    what    text not null,
    note    blob
) strict;
create index request_event_of on request_event (request);

-- What the last search for a request found: addresses only. `record` is sealed where it could be somebody's data.
create table request_hit (
    request integer not null references request on delete cascade,
    source  text not null,
    object  text not null,
    record  text not null,
    field   text not null,
    link    text not null check (link in ('certain', 'likely', 'possible')),
    score   real not null,
    why     text not null,
    role    text not null,
    primary key (request, source, object, record, field)
) strict, without rowid;

-- What the last search could not read.
create table request_unread (
    request integer not null references request on delete cascade,
    source  text not null,
    object  text not null,
    why     text not null,
    primary key (request, source, object, why)
) strict, without rowid;

-- What a caseworker decided about an address, for one request. Outlives every new search.
create table request_verdict (
    request  integer not null references request on delete cascade,
    source   text not null,
    object   text not null,
    record   text not null,
    field    text not null,
    accepted integer not null check (accepted in (0, 1)),
    who      text not null,
    at       text not null,
    why      blob,                           -- sealed
    primary key (request, source, object, record, field)
) strict, without rowid;
