-- The amendments that changed what some accounts used in a span between two moments, and what they changed: account,
-- app, product, component, meter, amendment, reason, whether it was taken back. An amendment that was recorded and taken
-- back between the two changed nothing.
-- Parameters: accounts (array), first, last (the span), since, cutoff. Reads usage_amendment, usage_interval,
-- usage_event, usage_ownership by resource. Locks nothing. Repeatable: the same moments find the same rows.
with standing as (
    select id, resource, meter, start, "end", reason, revert_reason, recorded_at, reverted_at,
           recorded_at <= %(since)b and (reverted_at is null or reverted_at > %(since)b) as was,
           recorded_at <= %(cutoff)b and (reverted_at is null or reverted_at > %(cutoff)b) as became
    from usage_amendment
    where recorded_at <= %(cutoff)b and (recorded_at > %(since)b or reverted_at > %(since)b)
), turned as (
    select id, resource, meter, start, "end", not became as back, case when became then reason else revert_reason end
               as reason, case when became then recorded_at else reverted_at end as at
    from standing where was <> became
), touched as (
    select t.id, t.reason, t.back, t.resource, i.app, i.product, i.component, i.meter,
           greatest(i.opened, %(first)b) as "from", least(coalesce(i.closed, %(last)b), %(last)b) as "until"
    from turned t join usage_interval i using (resource)
    where (i.recorded_at = t.at or i.superseded_at = t.at) and t.meter in ('', i.meter)
      and i.opened < %(last)b and (i.closed is null or i.closed > %(first)b)
    union all
    select t.id, t.reason, t.back, t.resource, e.app, e.product, e.component, e.meter, e.time,
           e.time + interval '1 microsecond'
    from turned t join usage_event e using (resource)
    where e.type = 'measured' and e.time >= greatest(t.start, %(first)b) and e.time < least(t."end", %(last)b)
      and t.meter in ('', e.meter)
)
select distinct o.account, coalesce(nullif(c.app, ''), o.app), c.product, c.component, c.meter, c.id, c.reason, c.back
from touched c join usage_ownership o using (resource)
where o.account = any(%(accounts)b::text[]) and o.start < c."until" and (o."end" is null or o."end" > c."from")
order by c.id
