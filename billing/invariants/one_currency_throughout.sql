-- R-24 Credits, credit notes and postings are in the currency and of the account of their invoice.
select i.id as invoice, i.number, 'credit' as what, g.id as other
from billing_creditapplication a join billing_creditgrant g on g.id = a.grant_id join billing_invoice i on i.id = a.invoice_id
where (g.currency, g.account_id) <> (i.currency, i.account_id)
union all
select i.id, i.number, 'credit note', n.id
from billing_creditnote n join billing_invoice i on i.id = n.invoice_id
where n.currency <> i.currency or i.status = 'draft'
union all
select i.id, i.number, 'posting', t.id
from billing_ledgertransaction t join billing_ledgerentry e on e.transaction_id = t.id join billing_invoice i on i.id = t.source_id
where t.source_type = 'invoice' and (e.currency <> i.currency or t.account_id <> i.account_id)
