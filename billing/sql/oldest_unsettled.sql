-- The oldest month of each account that no run has settled: it was given up, and so was every later one until now, or
-- its invoice was voided and nothing has billed the month again. Accounts without such a month are left out.
-- Parameters: accounts (rows), before (a first day: the month now being billed).
-- Reads billing_runaccount, billing_run, billing_invoice, billing_invoiceline. Locks: none. Repeatable for the same books.
with endings as (
    select e.account_id, r.month, e.outcome
    from billing_runaccount e
    join billing_run r on r.id = e.run_id
    where e.account_id = any (%(accounts)s) and not r.shadow and r.state = 'closed' and r.month < %(before)s
), given_up as (
    select account_id, month from endings e
    where outcome in ('held', 'failed')
      and not exists (select 1 from endings later where later.account_id = e.account_id and later.month > e.month
                      and later.outcome in ('issued', 'zero'))
), voided as (
    select v.account_id, v.period_start as month
    from billing_invoice v
    where v.account_id = any (%(accounts)s) and v.status = 'void' and v.kind = 'periodic' and v.period_start < %(before)s
      and not exists (
        select 1 from billing_invoice i join billing_invoiceline l on l.invoice_id = i.id
        where i.account_id = v.account_id and i.kind = 'periodic' and not i.shadow and i.status not in ('draft', 'void')
          and l.period_start >= v.period_start::timestamp at time zone 'UTC'
          and l.period_start < v.period_end::timestamp at time zone 'UTC')
)
select account_id, min(month) from (select * from given_up union all select * from voided) unsettled
group by account_id
