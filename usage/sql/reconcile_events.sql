-- Events of some hours that share their fate: source_id, hour, meter, place, account, product, month, known, events,
-- quantity. Parameters: those of placed.sql. Reads its tables. Locks nothing. Repeatable.
with {placed}
select source_id, hour, meter, place, account, product, date_trunc('month', at, 'UTC'), known, count(*)::bigint,
       trim_scale(coalesce(sum(quantity), 0))
from placed
group by source_id, hour, meter, place, account, product, date_trunc('month', at, 'UTC'), known
