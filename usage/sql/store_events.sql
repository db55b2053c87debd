-- Store a batch of events, each once, and ring for those that may change intervals or ownership.
-- Parameters: source, received_at, amendment (null: a source sent them), and one array per column, sorted by event_id
-- so that no two batches deadlock.
-- Returns event_id and body_hash of what was there already. Reads usage_eventkey, usage_ownership; writes
-- usage_eventkey, usage_event, usage_unpaired. Locks: the new rows; waits for another transaction that is storing the
-- same event, and fails with unique_violation when that commits: ask again. Repeatable: yes, by event_id.
-- Arrays beside each other in one list of results go in step, and are not written out one by one as a function's rows.
with known as materialized (
    select event_id, body_hash from usage_eventkey
    where source_id = %(source)b and event_id = any(%(id)b::text[])
), incoming as materialized (
    select nextval('usage_event_id_seq') as id, e.* from (
        select unnest(%(id)b::text[]) as event_id, unnest(%(type)b::text[]) as type,
               unnest(%(time)b::timestamptz[]) as time, unnest(%(resource)b::text[]) as resource,
               unnest(%(product)b::text[]) as product, unnest(%(meter)b::text[]) as meter,
               unnest(%(component)b::text[]) as component, unnest(%(app)b::text[]) as app,
               unnest(%(account)b::text[]) as account, unnest(%(quantity)b::text[]) as quantity,
               unnest(%(body_hash)b::bytea[]) as body_hash
    ) e
    where event_id not in (select event_id from known)
), keys as (
    insert into usage_eventkey (source_id, event_id, body_hash, resource, time, event)
    select %(source)b, event_id, body_hash, resource, time, id from incoming
), stored as (
    insert into usage_event (id, source_id, event_id, type, time, resource, product, meter, component, app, account,
                             quantity, received_at, amendment_id)
    overriding system value
    select id, %(source)b, event_id, type, time, resource, product, meter, component, app, account,
           quantity::numeric, %(received_at)b, %(amendment)b::bigint
    from incoming
), bells as (
    insert into usage_unpaired (event_id, resource, time)
    select id, resource, time from incoming
    where type <> 'measured' or (
        account <> '' or app <> '' and exists (
            select from usage_ownership a
            where a.resource = '' and a.app = incoming.app and a.superseded_at is null)
    ) and not exists (
        select from usage_ownership o
        where o.resource = incoming.resource and o.superseded_at is null and o.start < incoming.time
          and (o."end" is null or o."end" > incoming.time))
)
select event_id, body_hash from known
