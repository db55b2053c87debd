-- One kind of leased work by state. Parameters: {table}, a constant of the code. Reads that table. Locks nothing.
select count(*) filter (where state = 'ready') as ready,
       count(*) filter (where state = 'leased' and lease_until >= clock_timestamp()) as leased,
       count(*) filter (where state = 'leased' and lease_until < clock_timestamp()) as expired,
       count(*) filter (where state = 'dead') as dead,
       coalesce(max(extract(epoch from clock_timestamp() - run_after))
                filter (where state = 'ready' and run_after <= clock_timestamp()), 0) as oldest_due_seconds
from {table}
