-- R-09 A month whose events are in an archive takes no new ones: its partition is sealed.
-- database: usage
select a.month, a.state
from usage_montharchive a
where a.state <> 'restored' and not exists (
    select from pg_trigger t
    where t.tgname = 'usage_event_archived' and t.tgenabled = 'O'
      and t.tgrelid = to_regclass('usage_event_' || to_char(a.month, 'YYYY_MM')))
