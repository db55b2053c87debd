-- Give a feed back until its next reading: at once, after its pause, or after a growing one with jitter when it failed.
-- Parameters: feed, fence (of the claim), wait_seconds, caught_up (its end was reached), error (empty: it did not
-- fail), shortest and longest pause after a failure in seconds. Writes usage_feed unless the lease was lost; locks its
-- row. Repeatable: the second finds nothing to give back.
update usage_feed f
set state = 'ready',
    lease_until = null,
    attempts = 0,
    run_after = clock_timestamp() + make_interval(secs => greatest(
        %(wait_seconds)b::float8,
        case when %(error)b = '' then 0
            else least(%(longest)b::float8, %(shortest)b::float8 * power(2, least(f.failures, 20)))
                * (0.5 + random() / 2) end)),
    caught_up_at = case when %(caught_up)b then clock_timestamp() else f.caught_up_at end,
    failures = case when %(error)b = '' then 0 else f.failures + 1 end,
    last_error = %(error)b
where f.id = %(feed)b and f.fence = %(fence)b and f.state = 'leased'
