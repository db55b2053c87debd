-- Return the pairing problems of some resources: event_id, kind.
-- Parameters: resources (array). Reads usage_pairingproblem by resource. Locks nothing. Repeatable.
select event_id, kind from usage_pairingproblem where resource = any(%(resources)b::text[])
