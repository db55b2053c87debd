"""Who hears news: added with a secret that is shown once, rotated, paused, removed; and news that is told again."""

import base64
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Account, WebhookDelivery, WebhookEndpoint, WebhookSecret
from accounts.webhooks.publishing import CLUSTER, DELIVER_TASK, News, publish
from accounts.webhooks.topics import TEST, TOPICS
from core import audit, bell, clock, outgoing
from core.errors import Conflict, Invalid, NotFound
from core.models import WorkState

SECRET_BYTES: Final = 32
OVERLAP: Final = timedelta(days=1)  # how long a former secret signs as well
MOST: Final = 20  # endpoints of one account


class NewEndpoint(NamedTuple):
    """An endpoint and the secret that its news are signed with."""

    endpoint: WebhookEndpoint
    secret: str


def add(
    account: Account | None, *, url: str, topics: Sequence[str] = (), description: str = "", actor: str
) -> NewEndpoint:
    """Let ``url`` hear the news of an account, or of all accounts; raise Invalid with the field that is wrong."""
    check(url, topics)
    with audit.acting(actor, "add a webhook"):
        if of(account).count() >= MOST:
            raise Invalid(f"There are {MOST} webhooks already; remove one first.", field="url")
        endpoint = WebhookEndpoint.objects.create(
            account=account, url=url, topics=list(topics), description=description, created_by=actor
        )
        return NewEndpoint(endpoint, _new_secret(endpoint))


def of(account: Account | None) -> QuerySet[WebhookEndpoint]:
    """Return the endpoints of an account, or those that hear of all, without what was removed."""
    return WebhookEndpoint.objects.filter(account=account, removed_at=None)


def rotate(endpoint_id: int, *, actor: str) -> NewEndpoint:
    """Sign with a new secret from now on, and for a day with the former one too. Not repeatable."""
    with audit.acting(actor, "rotate a webhook's secret"):
        endpoint = _locked(endpoint_id)
        now = clock.database_now()
        endpoint.secrets.filter(until__lt=now).delete()
        endpoint.secrets.filter(until=None).update(until=now + OVERLAP)
        return NewEndpoint(endpoint, _new_secret(endpoint))


def pause(endpoint_id: int, *, reason: str, actor: str) -> WebhookEndpoint:
    """Tell nothing until it is resumed; what happens meanwhile waits. A repeat changes nothing."""
    with audit.acting(actor, reason):
        endpoint = _locked(endpoint_id)
        if endpoint.paused_at is None:
            endpoint.paused_at = clock.database_now()
            endpoint.save(update_fields=["paused_at"])
    return endpoint


def resume(endpoint_id: int, *, actor: str) -> WebhookEndpoint:
    """Tell what waited, and what is to come."""
    with audit.acting(actor, "resume a webhook"):
        endpoint = _locked(endpoint_id)
        endpoint.paused_at = None
        endpoint.save(update_fields=["paused_at"])
        bell.ring(DELIVER_TASK, cluster=CLUSTER)
    return endpoint


def remove(endpoint_id: int, *, reason: str, actor: str) -> WebhookEndpoint:
    """Let an endpoint hear nothing any more; its log stays, its secrets do not."""
    with audit.acting(actor, reason):
        endpoint = _locked(endpoint_id)
        endpoint.removed_at = clock.database_now()
        endpoint.save(update_fields=["removed_at"])
        endpoint.secrets.all().delete()
    return endpoint


def test(endpoint_id: int, *, actor: str) -> None:
    """Tell one endpoint a piece of news that means nothing."""
    with transaction.atomic():
        endpoint = _locked(endpoint_id)
        moment = clock.database_now()
        key = f"test:{endpoint.pk}:{moment.timestamp()}"
        publish(TEST, [News(key, endpoint.account_id, {"by": actor})], only=endpoint)


def send_again(deliveries: QuerySet[WebhookDelivery], *, actor: str) -> int:
    """Tell news again that arrived or was given up, in the same words and under the same id; return how many."""
    again = deliveries.filter(state__in=[WorkState.DEAD, WorkState.DONE], endpoint__removed_at=None)
    changed = WebhookDelivery.objects.filter(pk__in=list(again.values_list("pk", flat=True))).update(
        state=WorkState.READY,
        attempts=0,
        last_error="",
        sent_again_by=actor,
        run_after=clock.database_now(),
    )
    if not changed:
        raise Conflict("Nothing of it has arrived or was given up; what waits is told by itself.")
    bell.ring(DELIVER_TASK, cluster=CLUSTER)
    return changed


def check(url: str, topics: Sequence[str]) -> None:
    """Raise Invalid for an address that cannot be called, and for topics that nobody tells."""
    if why := outgoing.refusal(url):
        raise Invalid(why, field="url")
    if settings.WEBHOOKS_PUBLIC_ONLY and urlsplit(url).scheme == "http":  # only this machine, which is never told
        raise Invalid("Give an https address; this machine itself is never told.", field="url")
    if unknown := [topic for topic in topics if topic not in TOPICS]:
        raise Invalid(f"{unknown[0]!r:.70} is no topic; choose of: {', '.join(TOPICS)}.", field="topics")


def _new_secret(endpoint: WebhookEndpoint) -> str:
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"
    WebhookSecret.objects.create(endpoint=endpoint, text=secret)
    return secret


def _locked(endpoint_id: int) -> WebhookEndpoint:
    endpoint = WebhookEndpoint.objects.select_for_update().filter(pk=endpoint_id, removed_at=None).first()
    if endpoint is None:
        raise NotFound("There is no such webhook, or it was removed.")
    return endpoint
