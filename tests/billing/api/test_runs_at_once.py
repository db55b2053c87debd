"""One program that sends the same request twice at the same moment, with real commits."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from billing.models import Run
from tests.billing.api.conftest import KeyOf, call
from tests.factories import OCTOBER, account, ran, staff, use

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_opens_one_shadow_for_one_key(key_of: KeyOf) -> None:
    staff()
    account("acme")
    use(ran("a1", "standard-1x", OCTOBER.start, OCTOBER.end, "acme"))
    key = key_of("omar")

    def ask(_: int) -> int:
        try:
            body = {"month": "2026-10", "shadow": True}
            status: int = call("post", "/runs", key, body, **{"Idempotency-Key": "same"}).status_code
            return status
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(ask, range(4)))
    assert set(statuses) <= {201, 409} and 201 in statuses, statuses
    assert Run.objects.count() == 1
    assert ask(0) == 201 and Run.objects.count() == 1
