-- Take a month's events from its file, in the order of the file's columns. Parameters: none, the rows follow.
-- Writes usage_event, identities included. Locks the new rows. Repeatable in another transaction.
copy usage_event (id, source_id, event_id, type, time, resource, product, meter, component, app, account, quantity,
                  received_at, amendment_id) from stdin
