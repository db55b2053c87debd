"""What one day of collecting came to: counted from the books, so that a repeat says the same."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Sum

from billing.models import Invoice
from collections_.charging import UNANSWERED
from collections_.models import AttemptOutcome, Case, CaseStep, ChargeAttempt
from core import formatting, money


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of one day; amounts by currency."""

    as_of: date
    charged: int  # attempts made for the day that were, or will be, sent
    succeeded: int
    declined: int
    unknown: int  # without an answer yet
    collected: Mapping[str, Decimal]  # by the charges that succeeded
    cases_opened: int
    cases_closed: int
    notices: int
    other_steps: int
    past_due: Mapping[str, Decimal]  # at the end of the day
    past_due_invoices: int

    def as_json(self) -> dict[str, Any]:
        """Return the summary for programs; amounts as decimal strings."""
        amounts = {name: _plain(getattr(self, name)) for name in ("collected", "past_due")}
        return asdict(self) | {"as_of": self.as_of.isoformat()} | amounts

    def as_text(self) -> str:
        """Return the summary for people."""
        return "\n".join(
            [
                f"Collections of {formatting.day(self.as_of)}",
                f"  charges     {self.charged}: {self.succeeded} succeeded, {self.declined} declined,"
                f" {self.unknown} without an answer",
                f"  collected   {_words(self.collected)}",
                f"  cases       {self.cases_opened} opened, {self.cases_closed} closed",
                f"  steps       {self.notices} notices, {self.other_steps} others",
                f"  past due    {_words(self.past_due)} on {self.past_due_invoices} invoices",
            ]
        )


def summarise(as_of: date) -> Summary:
    """Count what was done for ``as_of`` and what is past due on it now."""
    attempts = ChargeAttempt.objects.filter(created_on=as_of)
    outcomes = {row["outcome"]: row["count"] for row in attempts.values("outcome").annotate(count=Count("pk"))}
    succeeded, declined = outcomes.get(AttemptOutcome.SUCCEEDED, 0), outcomes.get(AttemptOutcome.DECLINED, 0)
    unknown = sum(outcomes.get(outcome, 0) for outcome in UNANSWERED)
    steps = CaseStep.objects.filter(taken_on=as_of)
    notices = steps.filter(kind="notice").count()
    past_due = Invoice.objects.past_due(as_of=as_of).filter(outstanding__gt=0)
    return Summary(
        as_of=as_of,
        charged=succeeded + declined + unknown,
        succeeded=succeeded,
        declined=declined,
        unknown=unknown,
        collected=_by_currency(attempts.filter(outcome=AttemptOutcome.SUCCEEDED), "amount"),
        cases_opened=Case.objects.filter(opened_on=as_of).count(),
        cases_closed=Case.objects.filter(closed_on=as_of).count(),
        notices=notices,
        other_steps=steps.count() - notices,
        past_due=_by_currency(past_due, "outstanding"),
        past_due_invoices=past_due.count(),
    )


def _by_currency(rows: Any, field: str) -> dict[str, Decimal]:
    sums = rows.order_by("currency").values("currency").annotate(amount=Sum(field))
    return {row["currency"]: row["amount"] for row in sums}


def _plain(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {currency: money.plain(amount) for currency, amount in amounts.items()}


def _words(amounts: Mapping[str, Decimal]) -> str:
    written = [formatting.amount_with_currency(amount, currency) for currency, amount in amounts.items()]
    return ", ".join(written) or "nothing"
