-- Post freshly issued invoices: what is owed against revenue and tax, credits as less revenue.
-- Parameters: invoices (rows), transactions (as many free rows of the ledger), on (date). Reads billing_invoice;
-- writes billing_ledgerentry first, then billing_ledgertransaction, whose rows post the entries.
-- Locks: none. Not repeatable: a fact posts once.
insert into billing_ledgerentry (transaction_id, ledger_account, currency, amount)
select p.transaction_id, e.ledger_account, i.currency, e.amount
from unnest(%(transactions)s::bigint[], %(invoices)s::bigint[]) as p (transaction_id, invoice_id)
join billing_invoice i on i.id = p.invoice_id
cross join lateral (values ('receivable', i.total), ('credits', i.credits), ('revenue', -i.subtotal), ('tax', -i.tax))
    as e (ledger_account, amount)
where e.amount <> 0;

insert into billing_ledgertransaction (id, source_type, source_id, kind, effective_on, account_id, posted_at)
select p.transaction_id, 'invoice', i.id, 'issue', %(on)s, i.account_id, clock_timestamp()
from unnest(%(transactions)s::bigint[], %(invoices)s::bigint[]) as p (transaction_id, invoice_id)
join billing_invoice i on i.id = p.invoice_id
where (i.subtotal, i.credits, i.tax, i.total) <> (0, 0, 0, 0);
