-- Return the resources that ever belonged to an app, by an interval, by an ownership, or by what was measured of them
-- since a moment without naming an account.
-- Parameters: app, since. Reads usage_interval, usage_ownership and usage_event by app. Locks nothing. Repeatable.
select resource from usage_interval where app = %(app)b
union
select resource from usage_ownership where app = %(app)b and resource <> ''
union
select resource from usage_event
where app = %(app)b and type = 'measured' and account = '' and app <> '' and time >= %(since)b
order by resource
