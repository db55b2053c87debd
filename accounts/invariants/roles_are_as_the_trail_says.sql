-- R-36 Every role, right and revocation is what the last change in the trail made it.
-- Reads accounts_user, accounts_membership, accounts_apikey and core_auditentry by its row index.
select kind, id, what, now_is, trail_says
from (
    select 'accounts_user' as kind, id, 'role' as what, role as now_is from accounts_user
    union all
    select 'accounts_user', id, 'is_superuser', is_superuser::text from accounts_user
    union all
    select 'accounts_user', id, 'is_active', is_active::text from accounts_user
    union all
    select 'accounts_membership', id, 'role', role from accounts_membership
    union all
    select 'accounts_apikey', id, 'scopes', to_jsonb(scopes)::text from accounts_apikey
    union all
    select 'accounts_apikey', id, 'revoked_at', revoked_at::text from accounts_apikey
) as standing
cross join lateral (
    select case standing.what  -- an instant is the same in whatever time zone the trail wrote it
               when 'revoked_at' then (e.after ->> 'revoked_at')::timestamptz::text
               else e.after ->> standing.what end as trail_says
    from core_auditentry e
    where e.table_name = standing.kind and e.row_id = standing.id::text and e.after ? standing.what
    order by e.id desc limit 1
) as told
where now_is is distinct from trail_says
