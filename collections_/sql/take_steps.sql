-- Take rungs of the ladder: each once per invoice and name.
-- Parameters: cases, invoices (bigint[]), names, kinds, results (text[]), due (date[]) side by side; as_of (date).
-- Reads: nothing. Writes: collections_casestep. Locks: none. Repeatable: yes; a rung that was taken is passed over.
insert into collections_casestep (case_id, invoice_id, name, kind, due_on, taken_on, result)
select w.case_id, w.invoice, w.name, w.kind, w.due_on, %(as_of)s, w.result
from unnest(%(cases)s::bigint[], %(invoices)s::bigint[], %(names)s::text[], %(kinds)s::text[], %(due)s::date[],
    %(results)s::text[]) as w (case_id, invoice, name, kind, due_on, result)
on conflict do nothing
returning invoice_id
