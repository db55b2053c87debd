"""Who hears which news: topics of the outbox and their handlers, composed in one place."""

from collections.abc import Mapping, Sequence

from billing import announcing as billing_news
from collections_ import announcing as collections_news
from collections_ import climbing
from collections_ import tasks as collections_tasks
from core.outbox import Handler

HANDLERS: Mapping[str, Sequence[Handler]] = {
    "billing.invoices_issued": (collections_tasks.on_invoices_issued, billing_news.on_invoices_issued),
    climbing.NEWS: (collections_news.on_step_taken,),
}
