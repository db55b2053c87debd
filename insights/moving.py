"""The money that a correction of usage moves: shown before it is recorded, and recorded only as it was shown.

The change is really made, looked at as of its own moment by the code that bills, and then kept or undone; so what was
shown is what the next run finds.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from billing import foreseeing
from billing.draft import DraftLine
from billing.foreseeing import Foreseen, Landing
from billing.late import Key, key_of
from billing.models import Product
from core import clock
from core.errors import Conflict, Invalid
from core.exact import ZERO, plain
from core.periods import Month, Span
from usage import amended, amending
from usage.amending import Amending, Change, Made
from usage.models import Amendment

MICROSECOND: Final = timedelta(microseconds=1)
EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
DIGITS: Final = 48  # of the hash, so that a token has fewer than 64 characters
MOST_MONTHS: Final = 60  # rated twice each; a change of more time is made in parts


class ChangedMeanwhile(Conflict):
    """What was shown is not what would happen now."""

    code = "preview_outdated"


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of one account's month: what it comes to without the change and with it, and where that is billed."""

    account: str
    currency: str
    month: Month
    app: str
    product: str
    description: str
    before: Decimal
    after: Decimal
    landing: Landing
    original: tuple[int, str] | None  # the invoice that billed the month: row, number

    @property
    def difference(self) -> Decimal:
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Unsaid:
    """An account's month of which nothing can be said, and why."""

    account: str
    month: Month
    reason: str


@dataclass(frozen=True, slots=True)
class Moved:
    """All that a change moves. ``token`` stands for exactly this, and is asked for when the change is recorded."""

    movements: Sequence[Movement]
    unsaid: Sequence[Unsaid]
    accounts: Sequence[str]  # that own or owned the resources
    spans: Sequence[Span]  # in which usage changes
    token: str
    totals: Mapping[str, Decimal] = field(default_factory=dict)  # by currency: the sum of the differences


def preview(change: Change, *, actor: str) -> Moved:
    """Return what ``change`` would move; nothing of it stays. Raises what recording it would raise."""
    _check(change)
    return amending.try_out(change, actor=actor, look=lambda made: _look(change, made, made.after))


def carry_out(change: Change, *, actor: str, token: str = "") -> tuple[Made, Moved]:
    """Record ``change`` if it moves just what the preview that gave ``token`` showed; else raise ChangedMeanwhile.

    Without a token nobody looked before, and it is recorded whatever it moves.
    """
    _check(change)
    found: list[Moved] = []

    def agree(made: Made) -> None:
        found.append(_look(change, made, _until(token) if token else made.after))
        if token and found[0].token != token:
            raise ChangedMeanwhile("What it moves has changed since it was shown. Look at it again, then record it.")

    made = amending.carry_out(change, actor=actor, agree=agree)
    return made, found[0]


def moved_by(one: Amendment) -> list[Movement]:
    """Return what an amendment moved at its own moment: what its months came to before it and with it."""
    before = one.recorded_at - MICROSECOND
    made = Made([one.pk], [one.resource], before, one.recorded_at)
    changed = amended.changed(made, until=one.recorded_at)
    found: list[Movement] = []
    for month in months(changed.spans):
        both = (
            _foreseen(changed.accounts, month, cutoff, one.recorded_at, own=True)
            for cutoff in (before, one.recorded_at)
        )
        for without, with_it in zip(*both, strict=True):
            found += _movements(month, without, with_it)
    return found


def _check(change: Change) -> None:
    """Refuse products that nobody sells: their usage could not be billed."""
    corrections = change.corrections if isinstance(change, Amending) else ()
    for correction in corrections:
        named = {event.product for event in correction.events}
        unknown = named - set(Product.objects.filter(code__in=named).values_list("code", flat=True))
        for index, event in enumerate(correction.events):
            if event.product in unknown:
                raise Invalid(
                    f"Nothing is sold as {event.product!r}; use a product of the price list.",
                    field=f"events[{index}].product",
                )


def _look(change: Change, made: Made, until: datetime) -> Moved:
    """Return what a change moves, counted up to ``until``: what goes on running moves more with every second."""
    changed = amended.changed(made, until=min(until, made.after))
    movements: list[Movement] = []
    unsaid: list[Unsaid] = []
    for month in months(changed.spans):
        before, after = (_foreseen(changed.accounts, month, cutoff, until) for cutoff in made[2:])
        for without, with_it in zip(before, after, strict=True):
            if reason := with_it.waiting or without.waiting:
                if with_it != without or month_touched(changed.spans, month):
                    unsaid.append(Unsaid(without.account, month, reason))
            else:
                movements += _movements(month, without, with_it)
    totals: dict[str, Decimal] = {}
    for moved in movements:
        totals[moved.currency] = totals.get(moved.currency, ZERO) + moved.difference
    token = _token(change, movements, unsaid, until)
    return Moved(movements, unsaid, changed.accounts, changed.spans, token, totals)


def months(spans: Iterable[Span]) -> list[Month]:
    """Return the months that some spans touch, oldest first."""
    found: set[Month] = set()
    for span in spans:
        month, last = Month.containing(span.start), Month.containing(span.end - MICROSECOND)
        while month <= last:
            found.add(month)
            month = month.next
    if len(found) > MOST_MONTHS:
        raise Invalid(f"It changes {len(found)} months; correct at most {MOST_MONTHS} at once.", field="start")
    return sorted(found)


def month_touched(spans: Iterable[Span], month: Month) -> bool:
    return any(span.intersection(month.span) for span in spans)


def _foreseen(
    accounts: Sequence[str], month: Month, cutoff: datetime, now: datetime, *, own: bool = False
) -> list[Foreseen]:
    until = min(month.end, now)
    return foreseeing.foresee(accounts, month, cutoff=cutoff, prices_at=clock.database_now(), until=until, own=own)


def _movements(month: Month, without: Foreseen, with_it: Foreseen) -> list[Movement]:
    words = {key_of(line): line for line in [*without.lines, *with_it.lines]}
    keys = [key for key in words if without.amounts.get(key, ZERO) != with_it.amounts.get(key, ZERO)]
    return [_movement(month, key, words[key], without, with_it) for key in sorted(keys, key=str)]


def _movement(month: Month, key: Key, line: DraftLine, without: Foreseen, with_it: Foreseen) -> Movement:
    return Movement(
        without.account,
        without.currency,
        month,
        line.app,
        line.product,
        line.description,
        without.amounts.get(key, ZERO),
        with_it.amounts.get(key, ZERO),
        with_it.landing,
        with_it.original,
    )


def _token(change: Change, movements: Iterable[Movement], unsaid: Iterable[Unsaid], until: datetime) -> str:
    """Stand for what was asked and what it moves up to a moment: another of either has another token."""
    said = [
        _asked(change),
        [[m.account, str(m.month), m.description, m.app, plain(m.before), plain(m.after), m.landing.kind]
         for m in movements],
        [[u.account, str(u.month), u.reason] for u in unsaid],
    ]  # fmt: skip
    digest = hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()
    return f"{(until - EPOCH) // MICROSECOND:x}-{digest[:DIGITS]}"


def _until(token: str) -> datetime:
    """Return the moment up to which a preview counted; one that no preview gave stands for nothing that was shown."""
    try:
        return EPOCH + int(token.partition("-")[0], 16) * MICROSECOND
    except (ValueError, OverflowError):
        return EPOCH


def _asked(change: Change) -> object:
    """Return what a change does, without why: the reason may be mended after the preview."""
    if isinstance(change, Amending):
        return [
            [c.resource, c.meter, c.start.isoformat(), c.end.isoformat(), *(e.digest().hex() for e in c.events)]
            for c in change.corrections
        ]
    return getattr(change, "amendments", ())
