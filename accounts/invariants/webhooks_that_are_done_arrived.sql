-- R-45 News that counts as told was answered with success by its endpoint.
select d.id as delivery, d.message_id as message, d.endpoint_id as endpoint
from accounts_webhookdelivery d
where d.state = 'done'
  and not exists (select from accounts_webhooktry t where t.delivery_id = d.id and t.status between 200 and 299)
