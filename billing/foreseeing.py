"""What a month comes to as known at any cut-off, the way the run that bills it will see it: writes nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from accounts.models import Account
from billing import gathering, judging, running, unsettled
from billing.assembly import Parked
from billing.draft import DraftLine
from billing.gathering import AccountFacts, Facts, LateMonth
from billing.late import LATE_MONTHS, Key, key_of
from billing.models import Run, RunState
from billing.month_lines import month_lines
from core.exact import ZERO
from core.periods import Month

DRAFT: Final = "draft"
ADJUSTMENT: Final = "adjustment"
NOWHERE: Final = "nowhere"
FROZEN: Final = (RunState.DRAFTING, RunState.REVIEW)  # its cut-off lies behind; drafted anew it sees today


@dataclass(frozen=True, slots=True)
class Landing:
    """Where a change of a month will be billed: in the month's own draft, on the invoice of ``month``, or nowhere."""

    kind: str
    month: Month
    sentence: str


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One account's month. ``lines`` are those that will be written: usage lines, or for a billed month adjustments.

    ``amounts`` is what each line of the month comes to in all, billed and adjusted, before credits and tax;
    ``waiting`` says why nothing can be said, and then there are none.
    """

    account: str
    currency: str
    landing: Landing
    lines: Sequence[DraftLine] = ()
    amounts: Mapping[Key, Decimal] = field(default_factory=dict)
    original: tuple[int, str] | None = None
    waiting: str = ""


def landing(month: Month, closed: Run | None) -> Landing:
    """Say where usage of ``month`` that changes now will be billed; ``closed`` is the month's closed run."""
    if closed is None:
        run = running.live(month)
        if run is None:
            return Landing(DRAFT, month, f"In the draft of {_name(month)}, when its run is opened.")
        if run.state in FROZEN:
            return Landing(
                DRAFT, month, f"In the draft of {_name(month)} once it is drafted anew; else on the next invoice."
            )
        return Landing(ADJUSTMENT, month.next, f"As an adjustment on the invoice of {_name(month.next)}.")
    later = month
    for _ in range(LATE_MONTHS):
        later = later.next
        run = running.live(later)
        if run is None:
            return Landing(ADJUSTMENT, later, f"As an adjustment on the invoice of {_name(later)}.")
        if run.state in FROZEN:
            sentence = f"As an adjustment on the invoice of {_name(later)} once it is drafted anew; else on the next."
            return Landing(ADJUSTMENT, later, sentence)
    return Landing(
        NOWHERE, later, f"Nowhere by itself: no run looks at {_name(month)} any more. Credit or charge it by hand."
    )


def foresee(
    codes: Sequence[str], month: Month, *, cutoff: datetime, prices_at: datetime, until: datetime, own: bool = False
) -> list[Foreseen]:
    """Return what ``month`` comes to for each account, from usage known at ``cutoff`` and up to ``until``.

    With ``own`` the month by itself, whatever was billed for it.
    """
    accounts = gathering.facts_of(Account.objects.filter(code__in=codes).order_by("code"))
    closed = Run.objects.filter(month=month.first_day, shadow=False, state=RunState.CLOSED).first()
    where = landing(month, closed)
    if closed is None or own:
        facts = gathering.gather_for(accounts, month, cutoff, prices_at, until=until)
        return [_own(account, facts, where) for account in accounts]
    again = gathering.look_again(accounts, closed, where.month, cutoff, prices_at)
    longer = _looked_at_longer([account.key for account in accounts], closed, where)
    return [_billed(account, again, longer.get(account.key, where)) for account in accounts]


def _looked_at_longer(account_ids: Sequence[int], closed: Run, where: Landing) -> dict[int, Landing]:
    """Return the accounts whose month is looked at still, however old, because no run has settled it since."""
    if where.kind != NOWHERE:
        return {}
    month = where.month.next
    while running.live(month) is not None:
        month = month.next
    sentence = f"As an adjustment on the invoice of {_name(month)}, which looks back that far."
    looked = {key for run, keys in unsettled.runs_to_look_at(account_ids, month) if run == closed for key in keys}
    return {key: Landing(ADJUSTMENT, month, sentence) for key in looked}


def _own(account: AccountFacts, facts: Facts, where: Landing) -> Foreseen:
    """The month's own lines, as its draft will have them."""
    try:
        contract = facts.contracts.get((account.key, account.currency))
        used, whole = facts.usage.get(account.code, ()), facts.book.until == facts.month.end
        lines = month_lines(used, facts.book, account.currency, contract, whole_month=whole)
    except Parked as parked:
        return Foreseen(account.code, account.currency, where, waiting=parked.reason)
    return Foreseen(account.code, account.currency, where, lines, _amounts(lines))


def _billed(account: AccountFacts, again: LateMonth, where: Landing) -> Foreseen:
    """The adjustments of a billed month, and what it comes to with them."""
    if account.key not in again.rostered:
        why = f"Nowhere yet: the account was not in the run of {_name(again.month)}; add it to that run."
        return Foreseen(account.code, account.currency, Landing(NOWHERE, again.month, why), waiting=why)
    earlier = again.of(account)
    try:
        lines = judging.late_lines(earlier, account.currency)
    except Parked as parked:
        return Foreseen(account.code, account.currency, where, waiting=parked.reason)
    before = [(line.key, line.rated) for _, line in earlier.billed]
    amounts = _sums([*before, *((key_of(line), line.amount) for line in lines)])
    return Foreseen(account.code, account.currency, where, lines, amounts, earlier.original)


def _amounts(lines: Iterable[DraftLine]) -> dict[Key, Decimal]:
    return _sums((key_of(line), line.amount) for line in lines)


def _sums(rows: Iterable[tuple[Key, Decimal]]) -> dict[Key, Decimal]:
    found: dict[Key, Decimal] = {}
    for key, amount in rows:
        found[key] = found.get(key, ZERO) + amount
    return found


def _name(month: Month) -> str:
    return f"{month.start:%B %Y}"
