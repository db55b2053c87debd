-- Order a document for each freshly issued invoice. Parameters: invoices (rows).
-- Reads nothing; writes billing_document. Locks: none. Repeatable: an invoice has one document.
insert into billing_document
    (kind, invoice_id, sha256, path, size, created_at, state, attempts, fence, run_after, last_error)
select 'invoice', id, '', '', 0, clock_timestamp(), 'ready', 0, 0, clock_timestamp(), ''
from unnest(%(invoices)s::bigint[]) as issued (id)
on conflict do nothing
