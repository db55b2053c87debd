-- R-23 An invoice is the sum of its lines, less credits, plus tax on the rest, rounded once.
with digits (currency, places) as (
    select currency, case
        when currency in ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV',
                          'XAF', 'XOF', 'XPF') then 0
        when currency in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') then 3
        when currency in ('CLF', 'UYW') then 4 else 2 end
    from (select distinct currency from billing_invoice) known
)
select i.id as invoice, i.number, i.subtotal, i.credits, i.tax, i.total, l.amount as lines, c.amount as applied
from billing_invoice i
join digits d on d.currency = i.currency
left join (select invoice_id, sum(amount) as amount from billing_invoiceline group by invoice_id) l on l.invoice_id = i.id
left join (select invoice_id, sum(amount) as amount from billing_creditapplication group by invoice_id) c
    on c.invoice_id = i.id
where i.subtotal <> coalesce(l.amount, 0)
   or (not i.shadow and i.credits <> coalesce(c.amount, 0))
   or i.tax <> round(i.tax_rate * (i.subtotal - i.credits), d.places)
   or i.total <> i.subtotal - i.credits + i.tax
