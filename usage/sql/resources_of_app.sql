-- Return the resources that ever belonged to an app, by an event or by an ownership.
-- Parameters: app. Reads usage_interval and usage_ownership by app. Locks nothing. Repeatable.
select resource from usage_interval where app = %(app)b
union
select resource from usage_ownership where app = %(app)b and resource <> ''
order by resource
