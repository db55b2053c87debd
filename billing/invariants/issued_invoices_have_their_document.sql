-- R-43 Every issued invoice and credit note has one document, and a stored one lies under its own hash.
select i.number, d.state, d.path
from billing_invoice i
left join billing_document d on d.invoice_id = i.id and d.kind = 'invoice'
where i.status <> 'draft'
  and (d.id is null or d.state = 'done' and d.path <> 'documents/' || left(d.sha256, 2) || '/' || d.sha256 || '.pdf')
union all
select n.number, d.state, d.path
from billing_creditnote n
left join billing_document d on d.credit_note_id = n.id
where d.id is null or d.invoice_id <> n.invoice_id
