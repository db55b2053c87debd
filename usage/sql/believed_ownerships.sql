-- Return what is believed of the ownership of some resources, and of whole apps:
-- id, resource, reference, account, app, start, end.
-- Parameters: resources, apps (arrays). Reads usage_ownership. Locks nothing. Repeatable.
select id, resource, reference, account, app, start, "end" from usage_ownership
where superseded_at is null
  and (resource = any(%(resources)b::text[]) or resource = '' and app = any(%(apps)b::text[]))
