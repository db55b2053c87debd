"""The dunning ladder in force: published as versions, never changed under the cases that climb it."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from django.db import IntegrityError, transaction

from collections_ import dunning
from collections_.models import DunningPolicy
from core import audit

STANDARD: Final = "Standard"


def current() -> DunningPolicy:
    """Return the policy for new cases; the first call on a new database publishes the standard one."""
    policy = DunningPolicy.objects.filter(is_current=True).first()
    if policy is not None:
        return policy
    try:
        with transaction.atomic():
            return publish(STANDARD, dunning.STANDARD_STEPS, actor="system:collections")
    except IntegrityError:  # somebody else was first
        return DunningPolicy.objects.get(is_current=True)


def publish(name: str, steps: Sequence[Mapping[str, Any]], *, actor: str) -> DunningPolicy:
    """Make ``steps`` the next version of ``name`` and the policy for new cases; open cases keep theirs.

    A mistake in ``steps`` raises Invalid with its field.
    """
    ladder = dunning.policy_as_json(dunning.parse_policy(list(steps)))
    with audit.acting(actor):
        last = DunningPolicy.objects.select_for_update().filter(name=name).order_by("-version").first()
        DunningPolicy.objects.filter(is_current=True).update(is_current=False)
        return DunningPolicy.objects.create(
            name=name, version=last.version + 1 if last else 1, steps=ladder, is_current=True, created_by=actor
        )


@cache
def ladder(policy_id: int) -> dunning.Policy:
    """Return the rungs of one version; cached, for a version never changes."""
    return dunning.parse_policy(DunningPolicy.objects.values_list("steps", flat=True).get(pk=policy_id))
