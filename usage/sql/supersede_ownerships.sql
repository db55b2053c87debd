-- Stop believing some ownerships.
-- Parameters: ids (array), now. Writes usage_ownership. Locks the rows. Repeatable: a superseded row is left alone.
update usage_ownership set superseded_at = %(now)b where id = any(%(ids)b::bigint[]) and superseded_at is null
