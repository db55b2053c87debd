-- R-36 Whoever and whatever may act came in with a name on it: every account, member, key and user is in the trail.
-- Reads accounts_account, accounts_membership, accounts_apikey, accounts_user and core_auditentry by its row index.
select kind, id
from (
    select 'accounts_account' as kind, id from accounts_account
    union all
    select 'accounts_membership', id from accounts_membership
    union all
    select 'accounts_apikey', id from accounts_apikey
    union all
    select 'accounts_user', id from accounts_user
) as acting
where not exists (
    select from core_auditentry e
    where e.table_name = acting.kind and e.row_id = acting.id::text and e.operation = 'insert'
)
