-- Usage that belongs to nobody: running time of a span that no ownership covers, and measured quantities of a moment
-- that none covers: resource, product, app, seconds, quantity, accounts that owned the resource before or after.
-- Parameters: first, last (the span), cutoff. Reads usage_interval, usage_ownership, usage_event, usage_amendment.
-- Locks nothing. Repeatable: the same cut-off finds the same rows.
with owned as (
    select resource, range_agg(tstzrange(start, "end")) as during, array_agg(distinct account) as accounts
    from usage_ownership
    where resource <> '' and recorded_at <= %(cutoff)b and (superseded_at is null or superseded_at > %(cutoff)b)
    group by resource
), used as (
    select resource, product, app,
           tstzmultirange(tstzrange(greatest(opened, %(first)b), least(closed, %(last)b))) as during
    from usage_interval
    where recorded_at <= %(cutoff)b and (superseded_at is null or superseded_at > %(cutoff)b)
      and opened < %(last)b and (closed is null or closed > %(first)b)
), unowned as (
    select u.resource, u.product, u.app, 0 as quantity, o.accounts,
           (select sum(extract(epoch from upper(piece) - lower(piece)))
            from unnest(u.during - coalesce(o.during, '{}'::tstzmultirange)) as piece) as seconds
    from used u left join owned o using (resource)
    where not u.during <@ coalesce(o.during, '{}'::tstzmultirange)
    union all
    select e.resource, e.product, e.app, e.quantity, o.accounts, 0
    from usage_event e left join owned o using (resource)
    where e.type = 'measured' and e.time >= %(first)b and e.time < %(last)b
      and not coalesce(o.during @> e.time, false)
      and {effective}
)
select resource, product, app, trim_scale(sum(seconds)), trim_scale(sum(quantity)),
       coalesce(min(accounts), '{}')
from unowned
group by resource, product, app
order by resource, product, app
