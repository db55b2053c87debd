-- Write how the accounts of one shard ended. Parameters: run, and arrays of one length: accounts, outcomes, codes,
-- reasons, invoices (rows or null), totals, hashes. Reads nothing else; writes billing_runaccount.
-- Locks: the roster's rows. Repeatable.
update billing_runaccount r
set outcome = e.outcome, reason_code = e.code, reason = e.reason, invoice_id = e.invoice, total = e.total,
    inputs_hash = e.hash
from unnest(%(accounts)s::bigint[], %(outcomes)s::text[], %(codes)s::text[], %(reasons)s::text[],
            %(invoices)s::bigint[], %(totals)s::numeric[], %(hashes)s::text[])
     as e (account, outcome, code, reason, invoice, total, hash)
where r.run_id = %(run)s and r.account_id = e.account
