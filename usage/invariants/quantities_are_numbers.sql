-- R-44 A measured quantity or a level is a number from zero to 10^18, and nothing else has one.
-- database: usage
select id, type, quantity from usage_event
where (type in ('measured', 'gauge')) <> (quantity is not null)
   or quantity is not null and not (quantity >= 0 and quantity < 1e18)
