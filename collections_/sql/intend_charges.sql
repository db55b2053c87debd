-- Commit the intent to charge invoices: one attempt each, with a key of its own, for what is outstanding this moment.
-- Parameters: invoices, methods (bigint[]), steps (text[]) side by side; as_of (date); actor (text).
-- Reads: billing_invoice by id, collections_chargeattempt by invoice. Writes: collections_chargeattempt.
-- Locks: none. Repeatable: yes; an invoice with an unanswered attempt, or with this step taken, is passed over.
insert into collections_chargeattempt
    (state, attempts, fence, run_after, last_error, invoice_id, method_id, number, key, amount, currency, outcome,
    decline_code, decline_class, gateway_charge_id, step, requested_by, resolution, created_on)
select 'ready', 0, 0, clock_timestamp(), '', i.id, w.method, n.number,
    i.number || '-' || n.number || '-' || left(replace(gen_random_uuid()::text, '-', ''), 16),
    i.outstanding, i.currency, 'created', '', '', '', w.step, %(actor)s, '', %(as_of)s
from unnest(%(invoices)s::bigint[], %(methods)s::bigint[], %(steps)s::text[]) as w (invoice, method, step)
join billing_invoice i on i.id = w.invoice and i.status = 'open' and i.outstanding > 0
cross join lateral (
    select 1 + count(*) as number from collections_chargeattempt t where t.invoice_id = i.id) n
on conflict do nothing
returning invoice_id
