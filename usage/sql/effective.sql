-- The condition that an event counts, as known at a cut-off: not a statement, but the part that ``usage.effective``
-- puts where a statement says {effective}. The event's row is named e.
-- Parameters: cutoff. Reads usage_amendment by resource. Locks nothing. Repeatable: the same cut-off, the same answer.
-- An amendment stands from when it was recorded until it is reverted. An amendment's own event counts while that
-- stands; and any event gives way to a standing amendment of its time that was recorded after it was received.
e.received_at <= %(cutoff)b
and (e.amendment_id is null or exists (
    select from usage_amendment own
    where own.resource = e.resource and own.id = e.amendment_id
      and own.recorded_at <= %(cutoff)b and (own.reverted_at is null or own.reverted_at > %(cutoff)b)))
and not exists (
    select from usage_amendment a
    where a.resource = e.resource and a.meter in ('', e.meter) and a.start <= e.time and a."end" > e.time
      and a.recorded_at > e.received_at and a.recorded_at <= %(cutoff)b
      and (a.reverted_at is null or a.reverted_at > %(cutoff)b))
