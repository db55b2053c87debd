-- R-09 A usage event is stored once per source and identifier, and its source exists.
-- database: usage
select e.source_id, e.event_id, count(*) as stored, 'stored more than once' as finding
from usage_event e group by e.source_id, e.event_id having count(*) > 1
union all
select e.source_id, e.event_id, 1, 'its source is gone'
from usage_event e where not exists (select from usage_source s where s.id = e.source_id)
