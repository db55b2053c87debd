"""Build the demo step by step; every step may be repeated, so an interrupted build goes on where it stopped."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from accounts.models import Account
from accounts.registering import find
from billing import closing, contracting, crediting, running
from billing.models import CreditGrant, Document, RunState
from collections_ import collecting
from core import clock
from core.errors import VaultError
from core.models import WorkState
from core.periods import Month, Span
from usage import pairing, sending, sources
from usage.agreement import Hours
from usage.models import Source
from vault.demo import cast, june_2020, people
from vault.demo.people import ACTOR
from vault.simulation import life, registering, stating
from vault.simulation.tenants import Tenant, tenants

Say = Callable[[str], None]
Event = Mapping[str, Any]
CIVIC: Final = Tenant(
    june_2020.ACCOUNT, "Civic Data Lab", "team", "USD", "US", "DC", "billing@civic-data.example", "tok_ok", 2
)
COLLECT_AFTER_DAYS: Final = (0, 1, 4, 9, 16)  # after the day of issue: first charge, first notice, second try, …
DAY: Final = 86_400  # seconds; the demo's platform reports once a day
DOCUMENTS_WITHIN: Final = 240  # seconds


class NotFinished(VaultError):
    """A step of the demo did not come to its end."""

    code = "demo_not_finished"


def demo_month() -> Month:
    """Return the month the demo closes: the latest that is over."""
    return Month.containing(clock.today()).previous


def build(base_url: str, say: Say) -> None:
    """Build everything: people, tenants, usage through ``base_url``, three closed months, charges and cases."""
    month = demo_month()
    everybody = [CIVIC, *tenants(cast.TENANTS, seed=cast.SEED)]
    say(f"Registering {len(everybody)} accounts and {len(cast.STAFF) + 2} people")
    registering.register(everybody, actor=ACTOR)
    people.enroll(find(CIVIC.code))
    sender, hours = sending.OverHttp(base_url, _key()), Hours()
    _send(sender, june_2020.events(), "June 2020", say)
    _send(sender, _lives(everybody, month.previous), "past months", say, hours)
    stating.state(sender, hours, month.previous.span)
    _close(june_2020.JUNE, say)
    _contract(everybody[16], month.previous, say)
    _close(month.previous, say)
    _send(sender, _late(everybody[1], month.previous), "late usage", say, hours)
    _send(sender, _running(everybody, month), f"{month} and the days since", say, hours)
    stated = stating.state(sender, hours, Span(month.previous.start, clock.now()))
    say(f"Stated {stated:,} hours in manifests")
    _credits(everybody, say)
    _close(month, say)
    _await_documents(say)


def _key() -> str:
    """Make the demo's source, or a new secret for it; the old one ends at once."""
    source = Source.objects.filter(name=cast.SOURCE).first()
    if source is None:
        title = "The demo platform's dyno manager, add-on broker and router"
        contract: dict[str, Any] = {
            "owner": "Platform team",
            "past_days": 3650,
            "cadence_seconds": DAY,
            "lateness_seconds": DAY // 12,
        }
        _, secret = sources.create(cast.SOURCE, actor=ACTOR, title=title, **contract)
        return secret.text
    return sources.rotate(source, actor=ACTOR, overlap=timedelta(0)).text


def _send(sender: sending.Sender, events: Iterable[Event], what: str, say: Say, hours: Hours | None = None) -> None:
    tally = sending.send_all(map(dict, events), sender, hours=hours)
    pairing.drain()
    say(f"Sent {tally.total:,} events of {what}: {tally.accepted:,} accepted, {tally.duplicate:,} known already")


def _contract(tenant: Tenant, month: Month, say: Say) -> None:
    """An agreement as a growing customer has it: included requests, a tenth off dynos, and a floor."""
    account: Account = find(tenant.code)
    if account.contracts.exists():
        return
    contracting.agree(
        account.pk,
        name="Growth agreement",
        valid_from=month,
        valid_to=None,
        terms={
            "allowances": [{"name": "Included requests", "products": ["router-requests"], "quantity": "1000000"}],
            "discounts": [{"name": "Growth discount", "rate": "0.1", "groups": ["dyno"]}],
            "minimum_spend": "1000",
        },
        reason="Signed with the sales team",
        actor=f"user:{cast.OPENER.email}",
    )
    say(f"Agreed on a contract with {account.name}")


def _lives(everybody: list[Tenant], first: Month) -> Iterator[Event]:
    for tenant in everybody:
        yield from life.month_of(tenant, first, seed=cast.SEED, first=first)


def _running(everybody: list[Tenant], month: Month) -> Iterator[Event]:
    """The demo month, and the running one as far as it has come."""
    first, now = month.previous, clock.now() - timedelta(minutes=1)
    for tenant in everybody:
        yield from life.month_of(tenant, month, seed=cast.SEED, first=first)
        yield from life.month_of(tenant, month.next, seed=cast.SEED, first=first, until=now)


def _late(tenant: Tenant, month: Month) -> Iterator[Event]:
    """Three days of a one-off dyno that were reported only after the month was issued."""
    resource = f"{tenant.code}/late-import.1"
    known = {"resource": resource, "product": "standard-1x", "component": "run", "app": "data-import"}
    opened = month.start + timedelta(days=9)
    times = (("open", opened), ("close", opened + timedelta(days=3)))
    for kind, moment in times:
        event = {"id": f"{resource}:{kind}", "type": kind, "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"), **known}
        yield event | ({"account": tenant.code} if kind == "open" else {})


def _close(month: Month, say: Say) -> None:
    """Close one month as two people would, and collect as the days after it passed."""
    issued = month.next.first_day
    opener, approver = f"user:{cast.OPENER.email}", f"user:{cast.APPROVER.email}"
    run = closing.build(month, shadow=False, actor=opener, show=lambda progress: None)
    run = closing.issue(run, approver=approver, issue_date=issued, show=lambda progress: None)
    if run.state != RunState.CLOSED:
        raise NotFinished(f"{run} is {run.get_state_display().lower()}; its page says which accounts wait and why.")
    for day in _days(issued):
        collecting.run(day)
    say(f"Closed {month}, issued its invoices on {issued} and collected")


def _days(issued: date) -> list[date]:
    days = [issued + timedelta(days=after) for after in COLLECT_AFTER_DAYS]
    return [day for day in days if day <= clock.today()]


def _credits(everybody: list[Tenant], say: Say) -> None:
    """A small credit that support gave alone, and a large one that waits for finance."""
    support = f"user:{cast.STAFF[2].email}"
    for tenant, amount, reason in (
        (everybody[2], Decimal(25), "Goodwill after the incident of last week"),
        (everybody[3], Decimal(750), "Promised migration credit"),
    ):
        account: Account = find(tenant.code)
        if not CreditGrant.objects.filter(account=account).exists():
            crediting.request(account.pk, amount, reason=reason, actor=support)
    say("Gave one credit; another waits for approval")


def _await_documents(say: Say) -> None:
    """Wait until the workers have rendered every document."""
    deadline = time.monotonic() + DOCUMENTS_WITHIN
    waiting = Document.objects.filter(state__in=[WorkState.READY, WorkState.LEASED])
    while count := waiting.count():
        if time.monotonic() > deadline:
            raise NotFinished(f"{count} documents are not rendered yet; are the workers running? See manage.py doctor.")
        say(f"Waiting for {count} documents")
        time.sleep(2)
    say("Rendered every document")


def finished_at() -> datetime | None:
    """Return when the demo month was closed, or None while the demo is not complete."""
    run = running.live(demo_month())
    return run.closed_at if run and Account.objects.filter(code=CIVIC.code).exists() else None
