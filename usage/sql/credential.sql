-- Return the credential of a prefix with its source, unless it is revoked or has ended: id, secret_hash, scopes,
-- whether its last use is worth noting, and the source's columns in the order of the model.
-- Parameters: prefix. Reads usage_sourcecredential, usage_source by their keys. Locks nothing. Repeatable.
select c.id, c.secret_hash, c.scopes, c.last_used_at is null or c.last_used_at < clock_timestamp() - interval '1 minute',
       s.id, s.name, s.title, s.owner, s.state, s.cadence_seconds, s.lateness_seconds, s.past_days, s.future_seconds,
       s.created_at, s.last_received_at, s.last_event_at, s.last_heartbeat_at
from usage_sourcecredential c join usage_source s on s.id = c.source_id
where c.prefix = %(prefix)b and c.revoked_at is null and s.state <> 'revoked'
  and (c.expires_at is null or c.expires_at > clock_timestamp())
