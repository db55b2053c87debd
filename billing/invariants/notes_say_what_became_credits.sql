-- R-27 What a credit note says became credits is what was granted for it, and what its lines say.
select n.id as note, n.number, n.granted, coalesce(g.amount, 0) as grants, coalesce(l.amount, 0) as lines
from billing_creditnote n
left join (select note_id, sum(amount) as amount from billing_creditgrant group by note_id) g on g.note_id = n.id
left join (select note_id, sum(amount) as amount from billing_creditnoteline where settlement <> 'owed' group by note_id) l
    on l.note_id = n.id
where n.granted <> coalesce(g.amount, 0) or n.granted <> coalesce(l.amount, 0)
