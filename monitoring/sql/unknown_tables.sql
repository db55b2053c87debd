-- Our tables with rows that were never analysed, quoted for use in a statement. Parameters: none.
-- Reads pg_stat_user_tables. Locks nothing.
select quote_ident(schemaname) || '.' || quote_ident(relname)
from pg_stat_user_tables
where last_analyze is null and last_autoanalyze is null and n_live_tup > 1000
