-- What became of the events of one hour, resource by resource: resource, source_id, hour, meter, place, account,
-- product, month, known, events, quantity, first (time), last (time), received (the latest).
-- Parameters: those of placed.sql, meter (empty: all), most. Reads its tables. Locks nothing. Repeatable. What is not
-- paired comes first.
with {placed}
select resource, source_id, hour, meter, place, account, product, date_trunc('month', at, 'UTC'), known,
       count(*)::bigint, trim_scale(coalesce(sum(quantity), 0)), min(time), max(time), max(received_at)
from placed
where %(meter)b::text in ('', meter)
group by resource, source_id, hour, meter, place, account, product, date_trunc('month', at, 'UTC'), known
order by place = 'paired', resource, product, known
limit %(most)b
