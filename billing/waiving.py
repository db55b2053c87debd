"""Accept usage as not billed, for a reason, and take that back: what stops the close is settled or said, never lost."""

from collections.abc import Collection
from datetime import datetime

from billing import unbilled, waivers
from billing import unpriced as judged
from billing.models import UsageWaiver, WaiverKind
from core import audit, bell, clock, databases
from core.errors import Conflict, Invalid, NotFound
from core.periods import Month
from usage import completeness


def accept_unowned(month: Month, pieces: Collection[tuple[str, str]], *, reason: str, actor: str) -> list[UsageWaiver]:
    """Accept that the unowned usage of some (resource, product) of ``month`` is billed to nobody.

    What is accepted is what is known now; more that becomes known waits again. Raises Conflict while the month runs,
    and NotFound when one of them is not unowned (any more).
    """
    now = _check(month, reason)
    found = completeness.unowned(month.span, cutoff=now)
    waived = waivers.unowned(month, clock.database_now())
    waiting = {(piece.resource, piece.product): (piece, old) for piece, old in waivers.still_unowned(found, waived)}
    if missing := set(pieces) - set(waiting):
        resource, product = sorted(missing)[0]
        raise NotFound(f"{resource} has no usage of {product} without an owner in {month}; look at the list again.")
    made = []
    with audit.acting(actor, reason):
        for key in sorted(set(pieces)):
            piece, old = waiting[key]
            if old:
                _withdraw(old, actor)
            made.append(
                UsageWaiver.objects.create(
                    kind=WaiverKind.UNOWNED, month=month.first_day, resource=piece.resource, product=piece.product,
                    start=month.start, end=month.end, amount=waivers.amount_of(piece), reason=reason.strip(),
                    accepted_by=actor,
                )
            )  # fmt: skip
        bell.ring(unbilled.TASK, cluster="money")
    return made


def accept_unpriced(month: Month, pieces: Collection[tuple[str, str]], *, reason: str, actor: str) -> list[UsageWaiver]:
    """Accept that what some (account code, product) used of ``month`` without a price is not billed, nor later.

    Raises Conflict while the month runs, and NotFound when one of them has no such usage (any more).
    """
    now = _check(month, reason)
    waiting: dict[tuple[str, str], list[judged.Unpriced]] = {}
    for piece in judged.unpriced(month, cutoff=now):
        waiting.setdefault((piece.account.code, piece.product), []).append(piece)
    if missing := set(pieces) - set(waiting):
        code, product = sorted(missing)[0]
        raise NotFound(f"{code} has no usage of {product} without a price in {month}; look at the list again.")
    with audit.acting(actor, reason):
        bell.ring(unbilled.TASK, cluster="money")
        return [
            UsageWaiver.objects.create(
                kind=WaiverKind.UNPRICED, month=month.first_day, account=piece.account, product=piece.product,
                start=piece.start, end=piece.end, amount=piece.amount, reason=reason.strip(), accepted_by=actor,
            )
            for key in sorted(set(pieces))
            for piece in waiting[key]
        ]  # fmt: skip


def withdraw(key: int, *, reason: str, actor: str) -> UsageWaiver:
    """Let a waiver stand no longer: its usage waits for a person again. A repeat changes nothing."""
    if not reason.strip():
        raise Invalid("Say why the waiver is withdrawn.", field="reason")
    with audit.acting(actor, reason):
        waiver = UsageWaiver.objects.select_for_update().filter(pk=key).first()
        if waiver is None:
            raise NotFound("There is no such waiver.")
        if waiver.withdrawn_at is None:
            _withdraw(waiver, actor)
            bell.ring(unbilled.TASK, cluster="money")
    return waiver


def _withdraw(waiver: UsageWaiver, actor: str) -> None:
    waiver.withdrawn_by, waiver.withdrawn_at = actor, clock.database_now()
    waiver.save(update_fields=["withdrawn_by", "withdrawn_at"])


def _check(month: Month, reason: str) -> datetime:
    if not reason.strip():
        raise Invalid("Say why it is not billed; whoever closes the month will ask.", field="reason")
    now = clock.database_now(databases.usage())
    if now < month.end:
        raise Conflict(f"{month} is not over, and more may come; accept what is left when it is.")
    return now
