-- R-25 Every amount on an invoice is a whole number of the currency's smallest coin.
with digits (currency, places) as (
    select currency, case
        when currency in ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV',
                          'XAF', 'XOF', 'XPF') then 0
        when currency in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') then 3
        when currency in ('CLF', 'UYW') then 4 else 2 end
    from (select distinct currency from billing_invoice) known
)
select i.id as invoice, i.number, l.id as line, l.amount
from billing_invoiceline l join billing_invoice i on i.id = l.invoice_id join digits d on d.currency = i.currency
where l.amount <> round(l.amount, d.places) or l.rated <> round(l.rated, d.places)
