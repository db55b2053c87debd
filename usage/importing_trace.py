"""Import the production trace: its accounts into the books, its opens and closes through the intake."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from accounts.models import Account, Delivery
from core import clock, databases
from core.audit import acting
from core.errors import Invalid
from core.periods import Month
from usage import files, pairing, sending, sources, store, trace
from usage.models import Source
from usage.window import ANY_PAST

TRACE_SOURCE: Final = "trace"
ACTOR: Final = "system:import_trace"


def import_trace(
    path: Path, month: Month, *, base_url: str = "", progress: Callable[[int], None] = lambda sent: None
) -> dict[str, Any]:
    """Send the trace as if it had begun with ``month``, and pair it; return what became of it.

    Accounts are created as the applications are named, in USD. With ``base_url`` the events go over HTTP. Safe
    to repeat: every event is a duplicate then. Nothing is sent when the file has a mistake.
    """
    if month.end > clock.database_now(databases.usage()):
        raise Invalid(f"{month} has not ended yet, and usage cannot lie ahead; choose an earlier month.", field="month")
    with files.opened(path) as lines:
        found = list(trace.instances(lines, month))
    apps = sorted({instance.app for instance in found})
    _create_accounts(apps)
    tally = sending.send_all(trace.events(found, month), _sender(base_url), progress)
    pairing.drain()
    store.analyze()
    return {"month": str(month), "instances": len(found), "accounts": len(apps)} | asdict(tally)


def _create_accounts(codes: list[str]) -> None:
    known = set(Account.objects.filter(code__in=codes).values_list("code", flat=True))
    new = [Account(code=code, name=code, currency="USD", delivery=Delivery.NONE) for code in codes if code not in known]
    with acting(ACTOR):
        Account.objects.bulk_create(new, ignore_conflicts=True)


def _sender(base_url: str) -> sending.Sender:
    source = Source.objects.filter(name=TRACE_SOURCE).first()
    if source is None:
        source, _ = sources.create(
            TRACE_SOURCE, actor=ACTOR, title="Imported production trace", past_days=ANY_PAST.past.days
        )
    if not base_url:
        return sending.InProcess(source, ANY_PAST)
    return sending.OverHttp(base_url, sources.rotate(source, actor=ACTOR).text)
