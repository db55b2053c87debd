"""``manage.py close_month``: build a month's invoices and, approved by a second person, issue them."""

from argparse import ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import CommandParser

from accounts.models import User
from billing import closing, running
from billing.models import Outcome, RunState
from core import clock, formatting
from core.commands import VaultCommand
from core.errors import NotFound
from core.money import round_to_minor_unit
from core.periods import Month

ACTOR = "system:close_month"


class Command(VaultCommand):
    help = "Build a month's invoices; with --approve-as also approve and issue them."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("month", help="the month to close, as YYYY-MM")
        parser.add_argument("--shadow", action="store_true", help="build drafts that nobody is ever sent")
        parser.add_argument("--approve-as", metavar="USER", help="e-mail of the member of finance who approves")
        parser.add_argument("--issue-date", type=_day, help="date on the invoices, as YYYY-MM-DD (default: today)")
        parser.add_argument(
            "--despite", default="", metavar="REASON", help="do not wait for unconfirmed usage, and why"
        )
        parser.add_argument("--accept-held", action="store_true", help="close although accounts are held or failed")

    def handle(self, *args: Any, **options: Any) -> None:
        month = Month.parse(options["month"])
        approver = _person(options["approve_as"]) if options["approve_as"] else ""
        run = closing.build(month, shadow=options["shadow"], actor=ACTOR, show=self._show, despite=options["despite"])
        if approver and not run.shadow:
            run = closing.issue(
                run, approver=approver, issue_date=options["issue_date"] or clock.today(), show=self._show
            )
            if options["accept_held"] and run.state == RunState.ISSUING:
                run = running.close(run.pk, actor=approver, reason="closed with accounts held or failed")
        progress = running.progress(run)
        self.progress("")
        self.emit(_as_json(progress), _as_text(progress), options)

    def _show(self, progress: running.Progress) -> None:
        run = progress.run
        self.progress(f"{run.state}: {progress.shards_done} of {progress.shards} shards, {progress.invoices} invoices")


def _person(name: str) -> str:
    email = name.removeprefix("user:")
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        raise NotFound(f"There is no user {email}; name a member of finance, or add one with create_user.")
    return user.actor


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a date; write it as YYYY-MM-DD") from None


def _as_json(progress: running.Progress) -> dict[str, Any]:
    return {
        "month": str(Month.containing(progress.run.month)),
        "run": progress.run.pk,
        "shadow": progress.run.shadow,
        "state": progress.run.state,
        "roster": progress.roster,
        "outcomes": dict(progress.outcomes),
        "invoices": progress.invoices,
        "totals": {code: str(round_to_minor_unit(total, code)) for code, total in progress.totals.items()},
        "next": _next(progress),
    }


def _as_text(progress: running.Progress) -> str:
    run = progress.run
    outcomes = " + ".join(f"{count} {name}" for name, count in progress.outcomes.items() if count) or "none"
    totals = ", ".join(f"{formatting.amount(total, code)} {code}" for code, total in progress.totals.items())
    lines = [
        f"{run.month:%B %Y}: {'shadow ' if run.shadow else ''}run {run.pk} is {_state(progress)}.",
        f"Roster: {progress.roster} accounts = {outcomes}.",
        f"Invoices: {progress.invoices}{f', {totals}' if totals else ''}.",
    ]
    if following := _next(progress):
        lines.append(following)
    return "\n".join(lines)


def _state(progress: running.Progress) -> str:
    waiting = progress.run.state == RunState.ISSUING and progress.shards_done == progress.shards
    if waiting:
        return "issued, with accounts left over"
    return "in review" if progress.run.state == RunState.REVIEW else str(progress.run.state)


def _next(progress: running.Progress) -> str:
    run, month = progress.run, Month.containing(progress.run.month)
    left = progress.outcomes[Outcome.HELD] + progress.outcomes[Outcome.FAILED]
    if run.shadow:
        return "A shadow is never issued: compare it and open the real run."
    if run.state == RunState.REVIEW:
        return f"Next: review it at /runs/{run.pk}/; then run: manage.py close_month {month} --approve-as EMAIL"
    if run.state == RunState.APPROVED:
        return f"Next: issue it at /runs/{run.pk}/, or run: manage.py close_month {month} --approve-as EMAIL"
    if run.state == RunState.ISSUING and progress.shards_dead:
        return f"Next: {progress.shards_dead} shards failed; see why at /runs/{run.pk}/ and retry them."
    if run.state == RunState.ISSUING and left:
        return f"Next: release or retry {left} accounts at /runs/{run.pk}/, or close without them with --accept-held."
    return ""
