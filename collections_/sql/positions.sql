-- Where each invoice that is due stands on its ladder: what collections_.dunning.next_step needs to know, in id order.
-- Parameters: as_of (date), after (bigint, the last id seen), some (bigint[] or null: only these), size (int).
-- Reads: billing_invoice (index invoice_due), accounts_account, collections_* by account, case or invoice.
-- Writes: nothing. Locks: none. Repeatable: yes; what it says may be old at once, so every write looks again.
select i.id, i.number, i.account_id, a.code as account_code, a.name as account_name, a.email, i.currency, i.due_on,
    i.outstanding, c.id as case_id, c.policy_id,
    coalesce(x.charges, '{}'::jsonb) || coalesce(s.steps, '{}'::jsonb) as taken,
    h.until as hold_until, p.until as promise_until, coalesce(x.unanswered, false) as unanswered,
    m.id as method_id, m.last4, coalesce(n.never, x.last_decline) as last_decline
from billing_invoice i
join accounts_account a on a.id = i.account_id
left join collections_case c on c.account_id = i.account_id and c.currency = i.currency and c.state = 'open'
left join collections_paymentmethod m on m.account_id = i.account_id and m.is_default and m.expires >= %(as_of)s
left join lateral (
    select max(until) as until from collections_hold where case_id = c.id and lifted_at is null) h on true
left join lateral (
    select max(due_on) as until from collections_promise where case_id = c.id and state = 'open') p on true
left join lateral (
    select jsonb_object_agg(step, created_on) filter (where step <> '' and outcome <> 'cancelled') as charges,
        bool_or(outcome in ('created', 'submitting', 'unknown', 'manual')) as unanswered,
        (array_agg(decline_class order by t.number desc)
            filter (where t.method_id = m.id and outcome = 'declined'))[1] as last_decline
    from collections_chargeattempt t where t.invoice_id = i.id) x on true
left join lateral (  -- what a bank forbids is forbidden for every invoice, and so is a card whose payment it took back
    select 'never_retry' as never from collections_chargeattempt t
    where t.method_id = m.id and (t.decline_class = 'never_retry' or exists (
        select 1 from collections_payment p join collections_chargeback b on b.payment_id = p.id
        where p.attempt_id = t.id)) limit 1) n on true
left join lateral (
    select jsonb_object_agg(name, taken_on) as steps from collections_casestep where invoice_id = i.id) s on true
where i.status = 'open' and i.outstanding > 0 and i.due_on <= %(as_of)s and i.id > %(after)s
    and (%(some)s::bigint[] is null or i.id = any (%(some)s::bigint[]))
order by i.id
limit %(size)s
