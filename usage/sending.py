"""Ways to send events to the intake: within this process, or over HTTP as a platform does."""

import http.client
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from core.errors import VaultError
from usage import intake, manifests, sources
from usage.agreement import Hours, Statement, as_json
from usage.models import Source
from usage.reading import read
from usage.window import Window

BATCH: Final = 5_000
PATIENCE: Final = (0.2, 0.5, 1, 2, 4, 8)  # seconds between tries; sending again is harmless
Event = dict[str, Any]


class NotSent(VaultError):
    """The intake could not be reached, or did not take the events; sending them again is harmless."""

    code = "not_sent"


@dataclass(slots=True)
class Tally:
    """What became of all events that were sent."""

    accepted: int = 0
    duplicate: int = 0
    conflict: int = 0
    rejected: int = 0

    @property
    def refused(self) -> int:
        return self.conflict + self.rejected

    @property
    def total(self) -> int:
        return self.accepted + self.duplicate + self.refused


class Sender(Protocol):
    """A way to the intake. All of it may be repeated."""

    def send(self, events: Sequence[Event]) -> Tally:
        """Send one batch; return how many events were accepted, duplicate, conflict and rejected."""

    def state(self, statements: Sequence[Statement]) -> None:
        """State up to 1,000 hours."""

    def beat(self) -> None:
        """Say that the source is alive."""


def send_all(
    events: Iterable[Event],
    sender: Sender,
    progress: Callable[[int], None] = lambda sent: None,
    hours: Hours | None = None,
) -> Tally:
    """Send ``events`` in batches; ``progress`` hears how many were sent so far. Safe to repeat as a whole.

    ``hours`` counts every event in, for the manifests that are due afterwards.
    """
    total = Tally()
    for batch in _batches(events):
        answer = sender.send(batch)
        for event in batch if hours is not None else ():
            hours.add(event)  # type: ignore[union-attr]
        for name in ("accepted", "duplicate", "conflict", "rejected"):
            setattr(total, name, getattr(total, name) + getattr(answer, name))
        progress(total.total)
    return total


def state_all(statements: Sequence[Statement], sender: Sender) -> None:
    """State hours, a thousand at a time."""
    for first in range(0, len(statements), manifests.MOST):
        sender.state(statements[first : first + manifests.MOST])


def _batches(events: Iterable[Event]) -> Iterator[list[Event]]:
    iterator = iter(events)
    while batch := list(islice(iterator, BATCH)):
        yield batch


@dataclass(frozen=True, slots=True)
class InProcess:
    """Calls the intake directly; ``window`` may admit what is older than the source's contract allows."""

    source: Source
    window: Window | None = None

    def send(self, events: Sequence[Event]) -> Tally:
        answer = intake.accept(self.source, read(json.dumps(events).encode()), window=self.window)
        return Tally(answer.accepted, answer.duplicate, answer.conflict, answer.rejected)

    def state(self, statements: Sequence[Statement]) -> None:
        manifests.state_all(self.source, statements)

    def beat(self) -> None:
        sources.heartbeat(self.source)


class OverHttp:
    """Posts to ``BASE_URL/api/v1/usage/…`` with a source's secret, and tries again when that may help."""

    def __init__(self, base_url: str, secret: str) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NotSent(f"{base_url!r:.100} is not an address; write it like http://127.0.0.1:8000")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=60)
        self._path = f"{parts.path.rstrip('/')}/api/v1/usage/"
        self._base_url = base_url
        self._headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}

    def send(self, events: Sequence[Event]) -> Tally:
        return _tally(self._posted("events", json.dumps(events).encode()))

    def state(self, statements: Sequence[Statement]) -> None:
        self._posted("manifests", json.dumps([as_json(one) for one in statements]).encode())

    def beat(self) -> None:
        self._posted("heartbeats", b"")

    def _posted(self, what: str, body: bytes) -> bytes:
        """Post and return the answer; wait and post again while that may help. Raises NotSent."""
        reason = ""
        for pause in (*PATIENCE, 0):
            try:
                status, answer = self._post(what, body)
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                status, reason = 0, str(error) or type(error).__name__
            else:
                if status in (200, 201, 207):
                    return answer
                reason = f"it answered {status}: {answer[:300].decode(errors='replace')}"
            if status and status not in (429, 500, 502, 503, 504):
                break
            time.sleep(pause)
        raise NotSent(f"{self._base_url} did not take the {what} ({reason}). Mend that and send them again.")

    def _post(self, what: str, body: bytes) -> tuple[int, bytes]:
        self._connection.request("POST", self._path + what, body, self._headers)
        response = self._connection.getresponse()
        return response.status, response.read()


def _tally(answer: bytes) -> Tally:
    said = json.loads(answer)
    return Tally(*(int(said[name]) for name in ("accepted", "duplicate", "conflict", "rejected")))
