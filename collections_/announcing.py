"""News of collections for the programs that listen: what the platform must do to an account."""

from collections.abc import Mapping
from typing import Any, Final

from accounts.models import Account
from accounts.webhooks.publishing import News, publish
from accounts.webhooks.topics import ACCOUNT_RESTRICTED, ACCOUNT_SUSPENDED
from collections_.dunning import StepKind

TOPICS: Final[Mapping[str, str]] = {StepKind.RESTRICT: ACCOUNT_RESTRICTED, StepKind.SUSPEND: ACCOUNT_SUSPENDED}


def on_step_taken(payload: Mapping[str, Any]) -> None:
    """Tell that an account must be restricted or suspended; other steps concern nobody outside. Repeatable."""
    topic = TOPICS.get(payload["kind"])
    if topic is None:
        return
    account = Account.objects.get(code=payload["account"])
    data = {name: payload[name] for name in ("account", "invoice", "on")}
    publish(topic, [News(f"{payload['invoice']} {payload['kind']}", account.pk, data)])
