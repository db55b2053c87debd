"""Taking rungs of the ladder: what each kind does, once per invoice, with a record of what came of it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from django.db import connection

from collections_ import casework, charging, locks, notices, policies
from collections_.dunning import HARSH, Policy, Step, StepKind
from collections_.models import CaseEvent, ChargeAttempt
from collections_.positions import Owed
from core import audit, clock, formatting, outbox, sql

ACTOR = casework.ACTOR
NEWS = "collections.step_taken"
# What a rung that only announces itself leaves on record; who acts on the news is not collections' business.
ANNOUNCED: Final[Mapping[StepKind, str]] = {
    StepKind.RESTRICT: "the platform was told to restrict the account",
    StepKind.SUSPEND: "the platform was told to suspend the account",
    StepKind.HAND_OVER: "ready to be handed over",
    StepKind.WRITE_OFF: "proposed; finance decides",
}
assert ANNOUNCED.keys() | {StepKind.CHARGE, StepKind.NOTICE} == set(StepKind), "every step needs its act"  # noqa: S101


def take_steps(past_due: Sequence[Owed], policy_id: int, as_of: date) -> int:
    """Take the next rung of each invoice that has one today, charges apart; return how many were taken.

    Nothing is taken away from an account that could not be told: it has no e-mail address. What was paid, or is
    being charged, since ``past_due`` was read is left alone.
    """
    taken = []
    for owed in past_due:
        step = owed.decide(policy_id, as_of).step
        if step and step.kind is not StepKind.CHARGE and (owed.email or step.kind not in HARSH):
            taken.append((owed, step))
    if not taken:
        return 0
    with audit.acting(ACTOR):
        owed_still = _owed_still([owed.id for owed, _ in taken])
        taken = [(owed, step) for owed, step in taken if owed.id in owed_still]
        if not taken:
            return 0
        results = [_act(owed, step, policies.ladder(owed.policy_id or policy_id), as_of) for owed, step in taken]
        recorded = _record(taken, results, as_of)
        now = clock.database_now()
        CaseEvent.objects.bulk_create(
            CaseEvent(
                case_id=owed.case_id,
                at=now,
                actor=ACTOR,
                kind="step",
                text=_story(owed, step, result, as_of, now.date()),
            )
            for (owed, step), result in zip(taken, results, strict=True)
            if owed.id in recorded and owed.case_id
        )
    return len(recorded)


def _owed_still(invoices: Sequence[int]) -> set[int]:
    """Lock what is open, so that no payment comes between the look and the act; leave out what is being charged."""
    owed = locks.open_among(invoices)
    charged = ChargeAttempt.objects.filter(invoice_id__in=owed, outcome__in=charging.UNANSWERED)
    return set(owed) - set(charged.values_list("invoice_id", flat=True))


def _act(owed: Owed, step: Step, policy: Policy, as_of: date) -> str:
    """Do what a rung stands for and return the words for its record; a repeat does nothing more."""
    if step.kind is StepKind.NOTICE:
        return notices.send(owed, step, policy, as_of=as_of)
    outbox.add(
        NEWS,
        f"{owed.number} {step.name}",
        {
            "kind": str(step.kind),
            "account": owed.account_code,
            "invoice": owed.number,
            "case_id": owed.case_id,
            "on": as_of.isoformat(),
        },
    )
    return ANNOUNCED[step.kind]


def _record(taken: Sequence[tuple[Owed, Step]], results: Sequence[str], as_of: date) -> set[int]:
    """Write the rungs and return the invoices for which this was the first time."""
    columns: dict[str, list[object]] = {
        "cases": [owed.case_id for owed, _ in taken],
        "invoices": [owed.id for owed, _ in taken],
        "names": [step.name for _, step in taken],
        "kinds": [str(step.kind) for _, step in taken],
        "due": [step.planned_on(owed.due_on) for owed, step in taken],
        "results": [result[:200] for result in results],
    }
    with connection.cursor() as cursor:
        cursor.execute(sql.load("collections_", "take_steps"), columns | {"as_of": as_of})
        return {row[0] for row in cursor.fetchall()}


def _story(owed: Owed, step: Step, result: str, as_of: date, today: date) -> str:
    """Tell one step; the day only when it was taken for another than the story's own time shows."""
    day = "" if as_of == today else f" (for {formatting.day(as_of)})"
    return f"{step.name.replace('_', ' ').capitalize()} for invoice {owed.number}{day}: {result}"
