-- R-35 Nobody approved a run that they opened, or decided on a credit that they asked for.
select 'run' as what, id, opened_by as maker, approved_by as checker
from billing_run where approved_by <> '' and approved_by = opened_by
union all
select 'credit', id, requested_by, decided_by
from billing_creditgrant where decided_by <> '' and decided_by = requested_by
union all
select 'run', id, opened_by, approved_by
from billing_run where state in ('approved', 'issuing', 'closed') and (approved_by = '' or approved_hash = '')
