-- Return the strands (resource, meter) of some resources that anything was said of in a span, or is believed of at all.
-- Parameters: resources (array), first, last (the span). Reads usage_event by resource and time, usage_interval and
-- usage_pairingproblem by resource. Locks nothing. Repeatable.
select resource, meter from usage_event
where resource = any(%(resources)b::text[]) and type <> 'measured' and time >= %(first)b and time < %(last)b
union
select resource, meter from usage_interval
where resource = any(%(resources)b::text[]) and superseded_at is null
  and opened < %(last)b and (closed is null or closed >= %(first)b)
union
select resource, meter from usage_pairingproblem
where resource = any(%(resources)b::text[]) and at >= %(first)b and at < %(last)b
