-- R-18 An account has one live invoice per month and currency.
select account_id as account, currency, period_start, count(*) as invoices
from billing_invoice
where kind = 'periodic' and not shadow and status <> 'void'
group by account_id, currency, period_start
having count(*) > 1
