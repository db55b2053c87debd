-- Hours in which events happened that are not in the folded totals yet, with how many: hour, events.
-- Parameters: first, last (whole hours), source (its row; null: any). Reads usage_hourfold, usage_event by receipt.
-- Locks nothing. Repeatable.
select date_trunc('hour', time, 'UTC') as hour, count(*)
from usage_event
where received_at >= coalesce((select until from usage_hourfold), '-infinity')
  and time >= %(first)b and time < %(last)b
  and (%(source)b::bigint is null or source_id = %(source)b::bigint)
group by hour
