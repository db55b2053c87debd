-- Set aside what the store keeps of an archived month: the events that intervals, problems and ownerships come from.
-- That is every open, close and level (a sample that changes nothing would end another level that arrives late, before
-- the month), every event that names an account, and the first of a resource that names an app (of each amendment too:
-- its words stop counting when it is taken back).
-- Parameters: first, last (the month; in braces, for a definition takes none). Reads usage_event by time. Writes the
-- temporary table usage_kept, which ends with the transaction. Locks nothing. Repeatable in another transaction.
create temporary table usage_kept on commit drop as
with naming as materialized (
    select distinct on (resource, app, amendment_id) id
    from usage_event
    where time >= {first} and time < {last} and app <> ''
    order by resource, app, amendment_id, time, account, id
)
select e.* from usage_event e
where e.time >= {first} and e.time < {last}
  and (e.type <> 'measured' or e.account <> '' or e.id in (select id from naming))
