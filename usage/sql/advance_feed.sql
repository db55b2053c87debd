-- Move a feed's cursor behind a page whose events are stored in the same transaction, and keep the lease for another.
-- Parameters: feed, fence (of the claim), next (cursor), lease_seconds. Returns a row unless the lease was lost or the
-- source does not take events any more: whoever gets none must roll back. Writes usage_feed; locks its row.
-- Repeatable: yes, as long as the lease is ours.
update usage_feed f
set cursor_at = case when f.cursor is distinct from %(next)b then clock_timestamp() else f.cursor_at end,
    cursor = %(next)b,
    lease_until = clock_timestamp() + make_interval(secs => %(lease_seconds)b::float8),
    attempts = 0,
    failures = 0,
    last_error = ''
where f.id = %(feed)b and f.fence = %(fence)b and f.state = 'leased'
    and exists (select from usage_source s where s.id = f.source_id and s.state = 'active')
returning f.id
