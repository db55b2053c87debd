"""Say news to whoever listens: written down with the fact, told by a worker."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db.models import Q

from accounts.models import WebhookDelivery, WebhookEndpoint, WebhookMessage
from core import bell, clock
from core.formatting import iso

DELIVER_TASK: Final = "accounts.webhooks.delivering.deliver_waiting"
CLUSTER: Final = "mail"


class News(NamedTuple):
    """One fact. ``key`` names it, so that it is told once; ``account`` is the row of whom it is about."""

    key: str
    account: int | None
    data: Mapping[str, Any]


def publish(topic: str, news: Iterable[News], *, only: WebhookEndpoint | None = None) -> int:
    """Write down news in the running transaction for the endpoints that hear it, or ``only`` one; return how many.

    The body is fixed here, so that each try says the same. Repeatable: a fact that was told is not told again.
    """
    facts, listening = list(news), [only] if only else list(_listening(topic))
    told = [fact for fact in facts if any(_hears(endpoint, fact) for endpoint in listening)]
    if not told:
        return 0
    now = clock.database_now()
    keys = [fact.key for fact in told]
    known = set(WebhookMessage.objects.filter(topic=topic, key__in=keys).values_list("key", flat=True))
    fresh = {fact.key: fact for fact in told if fact.key not in known}
    WebhookMessage.objects.bulk_create((_message(topic, fact, now) for fact in fresh.values()), ignore_conflicts=True)
    written = WebhookMessage.objects.filter(topic=topic, key__in=fresh)
    WebhookDelivery.objects.bulk_create(
        (
            WebhookDelivery(message=message, endpoint=endpoint)
            for message in written
            for endpoint in listening
            if _hears(endpoint, fresh[message.key])
        ),
        ignore_conflicts=True,
    )
    bell.ring(DELIVER_TASK, cluster=CLUSTER)
    return len(fresh)


def _listening(topic: str) -> Iterable[WebhookEndpoint]:
    return WebhookEndpoint.objects.filter(Q(topics=[]) | Q(topics__contains=[topic]), removed_at=None)


def _hears(endpoint: WebhookEndpoint, fact: News) -> bool:
    return endpoint.account_id is None or endpoint.account_id == fact.account


def _message(topic: str, fact: News, now: datetime) -> WebhookMessage:
    said = {"type": topic, "timestamp": iso(now), "data": fact.data}
    body = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    return WebhookMessage(topic=topic, key=fact.key, account_id=fact.account, body=body, created_at=now)
