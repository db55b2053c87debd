-- R-42 An account has one open case per currency, and a closed one has its day.
select c.account_id as account, c.currency, c.state, count(*) as cases
from collections_case c
group by c.account_id, c.currency, c.state
having (c.state = 'open' and count(*) > 1) or bool_or((c.state = 'closed') <> (c.closed_on is not null))
