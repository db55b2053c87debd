"""What customers are told on the way: the words are templates, the facts come from the ladder."""

from datetime import date
from typing import Final

from django.conf import settings
from django.template.loader import render_to_string

from collections_.dunning import Policy, Step, StepKind
from collections_.positions import Owed
from core import formatting, mailing

CONSEQUENCES: Final = {
    StepKind.RESTRICT: "we restrict what can be changed in the account",
    StepKind.SUSPEND: "we suspend the account: its applications stop and cannot be reached",
    StepKind.HAND_OVER: "we hand the debt over to a collection agency",
}


def send(owed: Owed, step: Step, policy: Policy, *, as_of: date) -> str:
    """Queue the mail of one notice in the running transaction; return what happened, for the step's record.

    The same step of the same invoice is queued once, however often this is called.
    """
    if not owed.email:
        return "not sent: the account has no e-mail address"
    threat = _threat(step, policy)
    facts = {
        "owed": owed,
        "amount": formatting.amount_with_currency(owed.outstanding, owed.currency),
        "due_on": formatting.day(owed.due_on),
        "days": (as_of - owed.due_on).days,
        "consequence": CONSEQUENCES[threat.kind] if threat else "",
        "consequence_in": threat.days - step.days if threat else 0,
        "pay_at": f"{settings.BASE_URL}/portal/invoices/{owed.number}/",
    }
    mailing.queue(
        kind=f"dunning.{step.name}",
        reference=owed.number,
        recipient=owed.email,
        subject=f"Invoice {owed.number} is past due: {facts['amount']}",
        text=render_to_string("collections/mail/notice.txt", facts),
        account_code=owed.account_code,
    )
    return f"sent to {owed.email}"


def _threat(step: Step, policy: Policy) -> Step | None:
    """Return what follows ``step`` without another notice in between, if it takes something away."""
    behind = policy.steps[policy.steps.index(step) + 1 :]
    for later in behind:
        if later.kind is StepKind.NOTICE:
            return None
        if later.kind in CONSEQUENCES:
            return later
    return None
