-- R-43 A mail that is done says when it was sent; one that waits was not handed over.
select id as mail, kind, reference, state, handed_over_at, sent_at
from core_mail
where state = 'done' and sent_at is null
   or state = 'ready' and handed_over_at is not null
