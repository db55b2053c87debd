"""How old and how far ahead an event may be when it arrives. Pure: the moment of arrival is a parameter."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol, Self

from usage.reported import Batch, Refusal, ReportedEvent


class Contract(Protocol):
    """The part of a source that says what it may send."""

    past_days: int
    future_seconds: int


@dataclass(frozen=True, slots=True)
class Window:
    """Event times from ``now - past`` to ``now + future`` are admitted, both ends included."""

    past: timedelta
    future: timedelta

    @classmethod
    def of(cls, contract: Contract) -> Self:
        return cls(timedelta(days=contract.past_days), timedelta(seconds=contract.future_seconds))

    def admit(self, batch: Batch, now: datetime) -> tuple[Sequence[ReportedEvent], list[Refusal]]:
        """Return the events of ``batch`` that are inside, and a refusal for each that is not."""
        earliest, latest = now - self.past, now + self.future
        outside = [event for event in batch.events if not earliest <= event.time <= latest]
        if not outside:
            return batch.events, []
        return [e for e in batch.events if earliest <= e.time <= latest], [self._refuse(e, now) for e in outside]

    def _refuse(self, event: ReportedEvent, now: datetime) -> Refusal:
        if event.time < now:
            code, detail = "too_old", f"time is more than {self.past.days} days old; an operator can import it."
        else:
            ahead = int(self.future.total_seconds())
            code, detail = "in_future", f"time is more than {ahead} seconds ahead of Vault's clock; check yours."
        return Refusal(event.index, event.id, code, "time", detail, event.text())


# What an operator imports on purpose: ten years back, as a source may be told at most.
ANY_PAST: Final = Window(timedelta(days=3650), timedelta(seconds=300))
