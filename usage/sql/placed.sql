-- Where every event of some hours stands: not a statement, but the tables that ``usage.reconciling`` puts where a
-- statement says {placed}. ``placed`` has a row per event: its columns, hour, at, account (that owned it; empty: nobody),
-- known (which of ``cutoffs`` is the earliest at or after its receipt, from 1; one too many: none) and place: paired,
-- waiting, a pairing problem's kind, amended (it gave way to a correction), or forgotten (which must never be).
-- Parameters: first, last (the span), sources (array of rows), cutoffs (sorted array), cutoff (what is known).
-- Reads usage_event by time, usage_amendment, usage_interval, usage_unpaired, usage_pairingproblem, usage_ownership.
-- A close belongs to the moment before it, which is the last that its interval has. What has a quantity needs no pair.
amended as materialized (
    select distinct resource from usage_amendment
), happened as (
    select e.id, e.source_id, date_trunc('hour', e.time, 'UTC') as hour, e.time, e.type, e.meter, e.product, e.resource,
           e.quantity, e.received_at, a.resource is null or ({effective}) as counts,
           case e.type when 'close' then e.time - interval '1 microsecond' else e.time end as at
    from usage_event e
    left join amended a on a.resource = e.resource
    where e.time >= %(first)b and e.time < %(last)b and e.source_id = any(%(sources)b::bigint[])
), resources as materialized (
    select distinct resource from happened
), ends as (
    select i.open_event_id as event_id, resource from usage_interval i join resources using (resource)
    where i.superseded_at is null and i.opened >= %(first)b and i.opened < %(last)b
    union all
    select i.close_event_id, resource from usage_interval i join resources using (resource)
    where i.superseded_at is null and i.closed >= %(first)b and i.closed < %(last)b
), placed as (
    select h.*, coalesce(o.account, '') as account,
           1 + width_bucket(h.received_at - interval '1 microsecond', %(cutoffs)b::timestamptz[]) as known,
           case when not h.counts then 'amended'
                when h.type = 'measured' or i.event_id is not null then 'paired'
                when u.event_id is not null then 'waiting'
                when p.kind is not null then p.kind
                when h.type = 'gauge' then 'paired'
                else 'forgotten' end as place
    from happened h
    left join ends i on h.type in ('open', 'close') and i.resource = h.resource and i.event_id = h.id
    left join usage_unpaired u on u.resource = h.resource and u.event_id = h.id
    left join usage_pairingproblem p on p.resource = h.resource and p.event_id = h.id
    left join usage_ownership o
        on o.resource = h.resource and o.superseded_at is null and o.start <= h.at and (o."end" is null or o."end" > h.at)
)
