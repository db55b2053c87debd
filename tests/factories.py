"""The cast and the platform of every test that bills: plain functions, with the real rules."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from accounts.models import Account, User
from billing import approving, drafting, issuing, running
from billing.models import Invoice, Run, RunAccount
from core import audit
from core.periods import Month
from tests.usage import factories as usage

ACTOR = "system:test"
OCTOBER = Month(2026, 10)
ADA = "user:ada@example.com"  # finance: opens runs
GRACE = "user:grace@example.com"  # finance: approves them
SAM = "user:sam@example.com"  # support
ISSUED_ON = date(2026, 11, 2)


def staff() -> dict[str, User]:
    """Ada and Grace of finance, Sam of support; made once."""
    with audit.acting(ACTOR):
        return {
            name: User.objects.filter(email=f"{name}@example.com").first()
            or User.objects.create_user(f"{name}@example.com", name=name.title(), role=role)
            for name, role in (("ada", "finance"), ("grace", "finance"), ("sam", "support"))
        }


def account(code: str, **fields: Any) -> Account:
    """Make an account in the United States, in dollars, with no tax unless a place with one is given."""
    with audit.acting(ACTOR):
        return Account.objects.create(code=code, **({"name": code.title(), "country": "US"} | fields))


def use(events: Iterable[Mapping[str, Any]], source: str = "dynos") -> None:
    """Report events through the intake and pair them; what is wrong with one fails the test."""
    from usage.models import Source

    reporter = Source.objects.filter(name=source).first() or usage.source(source)
    answer = usage.settled(reporter, [dict(event) for event in events])
    assert answer.complete, answer.refused


def ran(
    resource: str, product: str, opened: datetime, closed: datetime | None, owner: str, app: str = "shop", **more: Any
) -> list[dict[str, Any]]:
    """The events of one resource that ran from ``opened`` until ``closed`` (None: still does)."""
    said = {"resource": resource, "product": product} | more
    first = {
        "id": f"{resource}:{product}:{opened:%FT%T.%f}:open",
        "type": "open",
        "time": usage.written(opened),
        **said,
    }
    events = [first | {"app": app, "account": owner}]
    if closed is not None:
        last = {"id": f"{resource}:{product}:{closed:%FT%T.%f}:close", "type": "close", "time": usage.written(closed)}
        events.append(last | said)
    return events


def build(
    month: Month = OCTOBER, *, shadow: bool = False, actor: str = ADA, shard_accounts: int = 1000, despite: str = ""
) -> Run:
    """Open a month's run and build its drafts."""
    run = running.open_run(month, shadow=shadow, actor=actor, shard_accounts=shard_accounts, despite=despite)
    drafting.draft_waiting()
    run.refresh_from_db()
    return run


def issue(run: Run, on: date = ISSUED_ON, *, actor: str = GRACE) -> Run:
    """Approve a run and issue its drafts."""
    approving.approve(run.pk, actor=actor)
    issuing.start(run.pk, actor=actor, issue_date=on)
    issuing.issue_waiting()
    run.refresh_from_db()
    return run


def close(month: Month = OCTOBER, on: date | None = None, *, despite: str = "") -> Run:
    """Build, approve and issue a month; dated its next month's second day unless said."""
    staff()
    return issue(build(month, despite=despite), on or month.next.first_day.replace(day=2))


def ending(run: Run, owner: Account) -> RunAccount:
    """How an account ended in a run."""
    return RunAccount.objects.select_related("invoice").get(run=run, account=owner)


def invoice(owner: Account, month: Month = OCTOBER) -> Invoice:
    """The account's own invoice of a month, draft or issued."""
    return Invoice.objects.exclude(status="void").get(account=owner, period_start=month.first_day, shadow=False)


def lines(made: Invoice) -> list[tuple[str, str, Decimal]]:
    """An invoice's lines as people read them: app, description, amount."""
    return [(line.app, line.description, line.amount) for line in made.lines.order_by("position")]
