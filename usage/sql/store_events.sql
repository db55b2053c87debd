-- Store a batch of events, each once, and ring for those that may change intervals or ownership.
-- Parameters: source, received_at, amendment (null: a source sent them), and one array per column, sorted by event_id
-- so that no two batches deadlock.
-- Returns the event_ids that were there already. Reads usage_ownership; writes usage_eventkey, usage_event,
-- usage_unpaired. Locks: the new rows; waits for another transaction that is storing the same event.
-- Repeatable: yes, by event_id.
with incoming as materialized (
    select nextval('usage_event_id_seq') as id, e.* from unnest(
        %(event_id)b::text[], %(type)b::text[], %(time)b::timestamptz[], %(resource)b::text[], %(product)b::text[],
        %(meter)b::text[], %(component)b::text[], %(app)b::text[], %(account)b::text[], %(quantity)b::numeric[],
        %(body_hash)b::bytea[]
    ) as e (event_id, type, time, resource, product, meter, component, app, account, quantity, body_hash)
), fresh as (
    insert into usage_eventkey (source_id, event_id, body_hash, resource, time, event)
    select %(source)b, event_id, body_hash, resource, time, id from incoming
    on conflict (source_id, event_id) do nothing
    returning event
), stored as (
    insert into usage_event (id, source_id, event_id, type, time, resource, product, meter, component, app, account,
                             quantity, received_at, amendment_id)
    overriding system value
    select id, %(source)b, event_id, type, time, resource, product, meter, component, app, account,
           quantity, %(received_at)b, %(amendment)b::bigint
    from incoming where id in (select event from fresh)
    returning id, type, time, resource, account
), bells as (
    insert into usage_unpaired (event_id, resource, time)
    select id, resource, time from stored
    where type <> 'measured'
       or account <> '' and not exists (
            select from usage_ownership o
            where o.resource = stored.resource and o.superseded_at is null and o.start <= stored.time
              and (o."end" is null or o."end" > stored.time))
)
select event_id from incoming where id not in (select event from fresh)
