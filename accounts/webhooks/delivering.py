"""Tell waiting news: signed, at least once, each try on record; for about three days, then a person decides."""

import http.client
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from standardwebhooks import Webhook

from accounts.models import WebhookDelivery, WebhookTry
from accounts.webhooks.publishing import CLUSTER, DELIVER_TASK
from core import bell, clock, leases, outgoing
from core.failpoints import failpoint

# Seconds to wait after the first try, the second …: nine waits between ten tries, about three days in all.
WAITS: Final = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
LEASE_SECONDS: Final = 60
TASK_SECONDS: Final = 60  # then the task ends and rings again
ANSWER_SECONDS: Final = 10.0  # for the whole of a try
MOST_READ: Final = 65_536  # bytes of an answer
MOST_KEPT: Final = 1_000  # characters of it
OPEN: Final = "endpoint_id in (select id from accounts_webhookendpoint where paused_at is null and removed_at is null)"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one try came to; ``status`` is 0 without an answer."""

    status: int
    text: str
    milliseconds: int

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300


def deliver_waiting() -> int:
    """Tell waiting news for up to a minute; safe to run twice and beside itself. Return how many arrived."""
    arrived, until = 0, time.monotonic() + TASK_SECONDS
    while batch := leases.claim(WebhookDelivery, limit=1, seconds=LEASE_SECONDS, where=OPEN):
        arrived += deliver(batch[0])
        if time.monotonic() > until:
            bell.ring(DELIVER_TASK, cluster=CLUSTER)
            break
    return arrived


def deliver(delivery: WebhookDelivery) -> bool:
    """Try one claimed delivery and record the try; no transaction is open during the call. Say whether it arrived."""
    outcome = post(delivery, clock.now())
    failpoint("webhook.after_call")
    with transaction.atomic():
        WebhookTry.objects.create(
            delivery=delivery, status=outcome.status, milliseconds=outcome.milliseconds, answer=outcome.text
        )
        if outcome.good:
            WebhookDelivery.objects.filter(pk=delivery.pk).update(delivered_at=clock.database_now())
            leases.finish(delivery)
        else:
            leases.give_back(delivery, _problem(outcome), waits=WAITS)
    return outcome.good


def post(delivery: WebhookDelivery, now: datetime) -> Outcome:
    """Send the message once, signed at ``now``; never raises for what the other side does. Follows no redirect."""
    started, late = time.monotonic(), threading.Event()
    status, text = 0, ""
    try:
        public_only = settings.WEBHOOKS_PUBLIC_ONLY
        with outgoing.connected(delivery.endpoint.url, late, seconds=ANSWER_SECONDS, public_only=public_only) as wire:
            body = delivery.message.body.encode()
            wire.request("POST", outgoing.target(delivery.endpoint.url), body, _headers(delivery, now))
            answer = wire.getresponse()
            status, text = answer.status, _readable(answer.read(MOST_READ))
    except outgoing.Unreachable as error:
        text = str(error)
    except (OSError, http.client.HTTPException, ValueError) as error:
        text = f"No answer within {ANSWER_SECONDS:g} seconds." if late.is_set() else leases.reason(error)
    return Outcome(status, text[:MOST_KEPT], int((time.monotonic() - started) * 1000))


def sweep() -> None:
    """Ring for news whose doorbell was lost or whose next try has come."""
    bell.ring_for_due(WebhookDelivery, DELIVER_TASK, cluster=CLUSTER)


def _headers(delivery: WebhookDelivery, now: datetime) -> dict[str, str]:
    message = delivery.message
    secrets = delivery.endpoint.secrets.filter(Q(until=None) | Q(until__gt=now)).order_by("-id")
    signatures = [Webhook(one.text).sign(message.name, now, message.body) for one in secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": "Vault",
        "webhook-id": message.name,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _readable(answer: bytes) -> str:
    """Return an answer as text that can be kept and shown."""
    text = answer.decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _problem(outcome: Outcome) -> str:
    return f"It answered {outcome.status}." if outcome.status else outcome.text
