-- Store again what was set aside of a month whose partition was emptied in this transaction.
-- Parameters: none. Reads the temporary table usage_kept; writes usage_event. Locks the new rows. Repeatable in another
-- transaction.
insert into usage_event (id, source_id, event_id, type, time, resource, product, meter, component, app, account,
                         quantity, received_at, amendment_id)
overriding system value
select id, source_id, event_id, type, time, resource, product, meter, component, app, account,
       quantity, received_at, amendment_id
from usage_kept order by received_at, id
