"""A program that sends the same request twice at one moment, and what stays of a request that refuses; real commits."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from billing import approving
from billing.models import Run
from core import audit
from tests.billing.api.conftest import KeyOf, call
from tests.factories import GRACE, OCTOBER, account, build, ran, staff, use

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
KEY = {"Idempotency-Key": "same"}


def test_opens_one_shadow_for_one_key(key_of: KeyOf) -> None:
    staff()
    account("acme")
    use(ran("a1", "standard-1x", OCTOBER.start, OCTOBER.end, "acme"))
    key = key_of("omar")

    def ask(_: int) -> int:
        try:
            body = {"month": "2026-10", "shadow": True}
            status: int = call("post", "/runs", key, body, **KEY).status_code
            return status
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(ask, range(4)))
    assert set(statuses) <= {201, 409} and 201 in statuses, statuses
    assert Run.objects.count() == 1
    assert ask(0) == 201 and Run.objects.count() == 1


def test_a_run_whose_drafts_changed_stays_in_review_although_a_key_was_given(key_of: KeyOf) -> None:
    staff()
    account("acme")
    use(ran("a1", "standard-1x", OCTOBER.start, OCTOBER.end, "acme"))
    run = build()
    approving.approve(run.pk, actor=GRACE)
    with audit.acting(GRACE):
        Run.objects.filter(pk=run.pk).update(approved_hash="of other drafts")
    answer = call("post", f"/runs/{run.pk}/issue", key_of("grace"), {"issue_date": "2026-11-02"}, **KEY)
    assert answer.status_code == 409 and "in review again" in answer.json()["detail"]
    run.refresh_from_db()
    assert (run.state, run.approved_by) == ("review", "")
