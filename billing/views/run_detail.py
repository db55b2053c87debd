"""One run on one page: how far it is, what it comes to, what moved, and every account by how it ended."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from django.db.models import QuerySet
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_tables2 import RequestConfig

from accounts.gates import StaffRequest, staff
from accounts.models import Account
from accounts.permissions import has
from billing import reviewing, run_actions, running
from billing.forms.runs import RosterFilter
from billing.models import Outcome, Run, RunAccount, RunState
from billing.running import Progress
from billing.tables.columns import who
from billing.tables.runs import RosterTable
from core import clock, formatting, history
from core.downloads import Cell, csv_download
from core.periods import Month

PER_PAGE: Final = 50
MOVERS: Final = "movers"
HISTORY: Final = "history"
COUNTS: Final = (Outcome.DRAFTED, Outcome.ISSUED, Outcome.ZERO, Outcome.HELD, Outcome.FAILED, Outcome.PENDING)
HEADER: Final = ("account", "name", "outcome", "reason_code", "reason", "currency", "total", "invoice", "shard")


@require_safe
@staff("runs.view")
def run(request: StaffRequest, key: int) -> HttpResponse:
    """The whole page; while workers are on it, htmx asks for ``#progress`` alone, and for all when they are done."""
    found = find(key)
    progress = running.progress(found)
    context = _frame(request, found, progress)
    if request.htmx.target == "progress":  # type: ignore[attr-defined]  # django-htmx's middleware puts it there
        answer = render(request, "billing/_run_progress.html", context)
        if not context["working"]:
            answer["HX-Refresh"] = "true"
        return answer
    shown = _shown(request, found, progress)
    context |= {"tabs": _tabs(found, progress, shown), "shown": shown} | _part(request, found, shown)
    return render(request, "billing/run.html", context)


@require_safe
@staff("exports.download")
def roster(request: StaffRequest, key: int) -> StreamingHttpResponse:
    """The roster as CSV, all of it or one outcome: how every account of the month ended."""
    found = find(key)
    return csv_download(f"run-{found.pk}-{found.month:%Y-%m}-roster", HEADER, _lines(_entries(request, found)))


def find(key: int) -> Run:
    """Return the run, or answer that there is none."""
    found = Run.objects.select_related("seller").filter(pk=key).first()
    if found is None:
        raise Http404(f"There is no run {key}. Look for its month in the list of runs.")
    return found


def _frame(request: StaffRequest, found: Run, progress: Progress) -> dict[str, Any]:
    now = clock.now()
    working = found.state == RunState.DRAFTING or run_actions.busy_issuing(found)
    left = reviewing.time_left(found, now) if working else None
    return {
        "run": found,
        "progress": progress,
        "working": working,
        "estimate": f"about {formatting.duration(left)} left" if left else "",
        "counts": [(outcome, progress.outcomes[outcome]) for outcome in COUNTS if _matters(found, progress, outcome)],
        "beside": reviewing.beside_month_before(found),
        "before": Month.containing(found.month).previous,
        "actions": run_actions.offered(found, progress, request.user),
        "next": run_actions.next_step(found, progress, request.user),
        "may_export": has(request.user, "exports.download"),
        "opened_by": who(found.opened_by),
        "approved_by": who(found.approved_by),
    }


def _matters(found: Run, progress: Progress, outcome: Outcome) -> bool:
    """Say whether an outcome belongs on the page: those that a run in this state can have, and any that it has."""
    expected = {Outcome.ZERO, Outcome.HELD, Outcome.FAILED}
    expected.add(Outcome.ISSUED if found.state in (RunState.ISSUING, RunState.CLOSED) else Outcome.DRAFTED)
    return outcome in expected or bool(progress.outcomes[outcome])


def _shown(request: StaffRequest, found: Run, progress: Progress) -> str:
    """Return the part that is asked for; by default what needs a person first, then what moved."""
    asked = request.GET.get("outcome", "")
    if asked in {*COUNTS, MOVERS, HISTORY}:
        return asked
    if found.state in (RunState.REVIEW, RunState.ISSUING):
        return next((str(o) for o in (Outcome.FAILED, Outcome.HELD) if progress.outcomes[o]), MOVERS)
    return MOVERS


def _tabs(found: Run, progress: Progress, shown: str) -> list[dict[str, Any]]:
    parts: list[tuple[str, str, int | None]] = [(MOVERS, "Movers", None)]
    parts += [
        (str(outcome), str(outcome.label), progress.outcomes[outcome])
        for outcome in COUNTS
        if _matters(found, progress, outcome)
    ]
    parts.append((HISTORY, "History", None))
    return [
        {"label": label, "href": f"?outcome={name}", "current": name == shown, "count": count}
        for name, label, count in parts
    ]


def _part(request: StaffRequest, found: Run, shown: str) -> dict[str, Any]:
    if shown == HISTORY:
        return {"happenings": history.of("billing_run", found.pk, added="Opened")}
    if shown == MOVERS:
        unfinished = found.state == RunState.DRAFTING
        moved = [] if unfinished else reviewing.movers(found)
        return {"movers": [(currency, list(rows)) for currency, rows in groupby(moved, lambda row: row.currency)]}
    reasons = RunAccount.objects.filter(run=found, outcome=shown).exclude(reason_code="").order_by("reason_code")
    form = RosterFilter(request.GET, reasons=list(reasons.values_list("reason_code", flat=True).distinct()))
    entries = _entries(request, found, shown).prefetch_related("account", "invoice")
    may_hold = has(request.user, "runs.hold")
    ended = found.state in (RunState.CLOSED, RunState.CANCELLED)
    table = RosterTable(entries, run=found, outcome=shown, may_hold=may_hold, ended=ended, order_by=_order(shown))
    RequestConfig(request, paginate={"per_page": PER_PAGE}).configure(table)
    return {"table": table, "form": form, "reset": f"?outcome={shown}"}


def _order(shown: str) -> tuple[str, ...]:
    if shown in (Outcome.HELD, Outcome.FAILED):
        return ("reason", "account")
    return ("-total",) if shown in (Outcome.DRAFTED, Outcome.ISSUED) else ("account",)


def _entries(request: StaffRequest, found: Run, shown: str = "") -> QuerySet[RunAccount]:
    """Return the roster lines that the address asks for."""
    entries = RunAccount.objects.filter(run=found)
    outcome = shown or request.GET.get("outcome", "")
    if outcome in Outcome.values:
        entries = entries.filter(outcome=outcome)
    if reason := request.GET.get("reason", ""):
        entries = entries.filter(reason_code=reason)
    if text := request.GET.get("q", "").strip():
        entries = entries.filter(account__in=Account.objects.matching(text))
    return entries


def _lines(entries: QuerySet[RunAccount]) -> Iterator[tuple[Cell, ...]]:
    for entry in entries.select_related("account", "invoice").order_by("account__code").iterator(chunk_size=2000):
        invoice = entry.invoice
        yield (
            entry.account.code,
            entry.account.name,
            entry.outcome,
            entry.reason_code,
            entry.reason,
            invoice.currency if invoice else entry.account.currency,
            entry.total,
            (invoice.number or f"draft {invoice.pk}") if invoice else "",
            entry.shard,
        )
