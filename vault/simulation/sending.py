"""Sends events as a source would: batches over HTTP, the same batch again when no answer came."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from core.errors import VaultError

BATCH: Final = 1000
TRIES: Final = 6


class NotDelivered(VaultError):
    """The intake could not be reached, or refused the whole batch."""

    code = "not_delivered"


@dataclass(slots=True)
class Tally:
    """What the intake answered, summed over batches; ``errors`` are its own words."""

    accepted: int = 0
    duplicate: int = 0
    conflict: int = 0
    rejected: int = 0
    errors: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def sent(self) -> int:
        return self.accepted + self.duplicate + self.conflict + self.rejected

    def add(self, answer: Mapping[str, Any]) -> None:
        self.accepted += answer["accepted"]
        self.duplicate += answer["duplicate"]
        self.conflict += answer["conflict"]
        self.rejected += answer["rejected"]
        self.errors.extend(answer.get("errors", ()))


def send(
    events: Iterable[Mapping[str, Any]], *, base_url: str, key: str, progress: Callable[[int], None] = lambda sent: None
) -> Tally:
    """Post ``events`` in batches to ``base_url`` with a source's ``key``; raise NotDelivered when that fails.

    Sending again is harmless: the intake knows every event by its id.
    """
    tally = Tally()
    waiting = iter(events)
    while batch := list(islice(waiting, BATCH)):
        tally.add(_post(f"{base_url.rstrip('/')}/api/v1/usage/events", json.dumps(batch).encode(), key))
        progress(tally.sent)
    return tally


def _post(url: str, body: bytes, key: str) -> Mapping[str, Any]:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310
    reason = ""
    for attempt in range(TRIES):
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                result: Mapping[str, Any] = json.load(answer)
                return result
        except urllib.error.HTTPError as error:
            reason = _words(error)
            if error.code < 500 and error.code != 429:
                raise NotDelivered(f"{url} refused the events: {reason}") from error
        except OSError as error:
            reason = str(getattr(error, "reason", error))
        time.sleep(min(8.0, 0.25 * 2**attempt))
    raise NotDelivered(f"{url} did not take the events ({reason}); nothing is lost, send them again")


def _words(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {error.code}"
