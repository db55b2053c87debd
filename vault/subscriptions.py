"""Who hears which news: topics of the outbox and their handlers, composed in one place."""

from collections.abc import Mapping, Sequence

from collections_ import tasks as collections_tasks
from core.outbox import Handler

HANDLERS: Mapping[str, Sequence[Handler]] = {
    "billing.invoices_issued": (collections_tasks.on_invoices_issued,),
}
