-- Take back the drafts of some accounts of a run, and what they took of credits.
-- Parameters: run, accounts (rows). Reads and writes billing_creditgrant, billing_creditapplication,
-- billing_runaccount, billing_invoiceline, billing_invoice. Locks: the credits' rows, which the caller holds already.
-- Repeatable: a second call finds nothing.
with drafts as materialized (
    select id from billing_invoice where run_id = %(run)s and account_id = any (%(accounts)s) and status = 'draft'
), taken as (
    select a.grant_id, sum(a.amount) as amount from billing_creditapplication a
    where a.invoice_id in (select id from drafts) group by a.grant_id
)
update billing_creditgrant g set balance = g.balance + taken.amount from taken where g.id = taken.grant_id;

delete from billing_creditapplication a using billing_invoice i
where i.id = a.invoice_id and i.run_id = %(run)s and i.account_id = any (%(accounts)s) and i.status = 'draft';

update billing_runaccount r set invoice_id = null, total = null
where r.run_id = %(run)s and r.account_id = any (%(accounts)s)
  and exists (select 1 from billing_invoice i where i.id = r.invoice_id and i.status = 'draft');

delete from billing_invoiceline l using billing_invoice i
where i.id = l.invoice_id and i.run_id = %(run)s and i.account_id = any (%(accounts)s) and i.status = 'draft';

delete from billing_invoice i
where i.run_id = %(run)s and i.account_id = any (%(accounts)s) and i.status = 'draft';
