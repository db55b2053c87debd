-- Open a case for each account and currency with something past due and none open; a charge under way is awaited.
-- Parameters: as_of (date), policy (bigint), actor (text).
-- Reads: billing_invoice (index invoice_due), collections_chargeattempt. Writes: collections_case, collections_caseevent.
-- Locks: none. Repeatable: yes; an account with an open case is passed over.
with owed as (
    select i.account_id, i.currency, count(*) as invoices, sum(i.outstanding) as amount, min(i.due_on) as due_on
    from billing_invoice i
    where i.status = 'open' and i.outstanding > 0 and i.due_on < %(as_of)s
        and not exists (
            select 1 from collections_chargeattempt t
            where t.invoice_id = i.id and t.outcome in ('created', 'submitting', 'unknown', 'manual'))
    group by i.account_id, i.currency
), opened as (
    insert into collections_case (account_id, currency, policy_id, state, opened_on)
    select account_id, currency, %(policy)s, 'open', %(as_of)s from owed
    on conflict do nothing
    returning id, account_id, currency
)
insert into collections_caseevent (case_id, at, actor, kind, text)
select opened.id, clock_timestamp(), %(actor)s, 'opened',
    owed.invoices || case owed.invoices when 1 then ' invoice' else ' invoices' end || ' past due since '
        || to_char(owed.due_on, 'FMDD Mon YYYY')
from opened join owed using (account_id, currency)
returning case_id
