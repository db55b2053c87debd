-- Size of the books' database and connections to it. Parameters: none. Reads catalogues only. Locks nothing.
select pg_database_size(current_database()) as bytes,
       (select count(*) from pg_stat_activity where datname = current_database()) as connections
