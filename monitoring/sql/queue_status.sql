-- Messages waiting or being worked on per cluster. Parameters: none. Reads django_q_ormq. Locks nothing.
select key as cluster, count(*) as waiting from django_q_ormq group by key
