-- Stop believing some intervals.
-- Parameters: ids (array), now. Writes usage_interval. Locks the rows. Repeatable: a superseded row is left alone.
update usage_interval set superseded_at = %(now)b where id = any(%(ids)b::bigint[]) and superseded_at is null
