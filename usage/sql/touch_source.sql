-- Note that a source was heard from, unless another batch is doing so this moment.
-- Parameters: source, received_at, newest (the latest event time, or null). Writes usage_source.
-- Locks the source's row, never waiting for it. Repeatable: yes, the moments only grow.
update usage_source s
set last_received_at = greatest(s.last_received_at, %(received_at)b::timestamptz),
    last_event_at = greatest(s.last_event_at, %(newest)b::timestamptz)
from (select id from usage_source where id = %(source)b for update skip locked) free
where s.id = free.id
