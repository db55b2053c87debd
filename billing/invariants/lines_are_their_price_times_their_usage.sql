-- R-16 A line by the second is price × seconds ÷ the month's seconds, rounded half up once; a flat one is price × fees.
with digits (currency, coins) as (
    select currency, case
        when currency in ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV',
                          'XAF', 'XOF', 'XPF') then 1
        when currency in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') then 1000
        when currency in ('CLF', 'UYW') then 10000 else 100 end::numeric
    from (select distinct currency from billing_invoice) known
), rated as (
    select l.id, i.id as invoice, i.number, l.description, l.rated, p.model, d.coins,
           (p.terms ->> 'unit_amount')::numeric * d.coins as unit, l.usage, l.quantity,
           extract(epoch from (date_trunc('month', l.period_start) + interval '1 month')
                              - date_trunc('month', l.period_start))::numeric as seconds
    from billing_invoiceline l
    join billing_invoice i on i.id = l.invoice_id
    join billing_price p on p.id = l.price_id
    join digits d on d.currency = i.currency
    where l.kind = 'usage' and p.model in ('prorated', 'flat')
)
select id as line, invoice, number, description, rated
from rated
where rated * coins <> case model
    when 'prorated' then div(2 * unit * usage + seconds, 2 * seconds)
    else floor(unit * ceil(quantity) + 0.5) end
