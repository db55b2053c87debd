-- What waits in the usage store: opens and closes not yet paired, quarantined events and the age of the oldest.
-- Parameters: none. Reads usage_unpaired, usage_quarantinedevent. Locks nothing. Repeatable.
select (select count(*) from usage_unpaired) as unpaired,
       count(*) as quarantined,
       coalesce(extract(epoch from clock_timestamp() - min(received_at)), 0) as quarantine_oldest_seconds
from usage_quarantinedevent where state = 'waiting'
