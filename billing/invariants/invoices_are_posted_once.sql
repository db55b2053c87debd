-- R-04 Every issued invoice is in the ledger exactly as it adds up, and no draft is.
select i.id as invoice, i.number, i.total, p.receivable, p.revenue, p.credits, p.tax
from billing_invoice i
left join lateral (
    select count(distinct t.id) as posted,
           coalesce(sum(e.amount) filter (where e.ledger_account = 'receivable'), 0) as receivable,
           coalesce(-sum(e.amount) filter (where e.ledger_account = 'revenue'), 0) as revenue,
           coalesce(sum(e.amount) filter (where e.ledger_account = 'credits'), 0) as credits,
           coalesce(-sum(e.amount) filter (where e.ledger_account = 'tax'), 0) as tax,
           coalesce(bool_or(e.currency <> i.currency or t.account_id <> i.account_id), false) as elsewhere
    from billing_ledgertransaction t join billing_ledgerentry e on e.transaction_id = t.id
    where t.source_type = 'invoice' and t.source_id = i.id and t.kind = 'issue') p on true
where case when i.status = 'draft' then p.posted <> 0
      else (p.receivable, p.revenue, p.credits, p.tax) <> (i.total, i.subtotal, i.credits, i.tax) or p.elsewhere end
