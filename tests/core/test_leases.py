"""Leases under contention: one owner at a time, and an expired owner cannot write."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction

from core import clock, leases
from core.models import Mail, WorkState

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def work() -> Iterator[list[Mail]]:
    yield Mail.objects.bulk_create(
        Mail(kind="test", reference=str(number), recipient="ada@example.com", subject="", text="")
        for number in range(40)
    )


def claim_all(barrier: Barrier) -> list[int]:
    try:
        barrier.wait()
        claimed: list[int] = []
        while batch := leases.claim(Mail, limit=3):
            claimed += [mail.pk for mail in batch]
        return claimed
    finally:
        connection.close()


def test_workers_claim_every_row_once(work: list[Mail]) -> None:
    barrier = Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        shares = [share.result() for share in [pool.submit(claim_all, barrier) for _ in range(4)]]
    claimed = [pk for share in shares for pk in share]
    assert sorted(claimed) == sorted(mail.pk for mail in work)


def claim_in_background() -> list[Mail]:
    try:
        return leases.claim(Mail, limit=1, where="reference = %s", params=("7",))
    finally:
        connection.close()


def second_claim_while_first_is_uncommitted() -> list[Mail]:
    """Claim in this thread's open transaction, then in another thread, then commit; return the other's claim."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert leases.claim(Mail, limit=1, where="reference = %s", params=("7",))
            other = pool.submit(claim_in_background)
            time.sleep(0.5)
        return other.result()


def test_a_row_being_claimed_is_passed_over(work: list[Mail]) -> None:
    assert second_claim_while_first_is_uncommitted() == []


def test_without_the_row_lock_it_would_be_claimed_twice(work: list[Mail], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "_CLAIM", leases._CLAIM.replace("for update skip locked", ""))
    assert len(second_claim_while_first_is_uncommitted()) == 1


def test_a_worker_that_sleeps_after_its_claim_has_a_fence_of_its_own(work: list[Mail]) -> None:
    """Whatever happens from the commit on, the row that a worker holds is the one that it claimed."""
    fences: list[int] = []

    def overtake() -> None:
        try:
            Mail.objects.filter(state=WorkState.LEASED).update(lease_until=clock.database_now() - timedelta(seconds=1))
            fences.extend(mail.fence for mail in leases.claim(Mail, limit=1, where="reference = %s", params=("7",)))
        finally:
            connection.close()

    def sleeping(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("SELECT") and connection.get_autocommit():  # the claim is committed, and not yet read
            with ThreadPoolExecutor(1) as pool:
                pool.submit(overtake).result()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(sleeping):
        (mine,) = leases.claim(Mail, limit=1, where="reference = %s", params=("7",))
    assert mine.fence not in fences


def overtaken(work: list[Mail]) -> tuple[Mail, Mail]:
    """Return one row as two workers hold it: the first slept past its lease, the second took it over."""
    (slow,) = leases.claim(Mail, limit=1, seconds=0.05)
    time.sleep(0.1)
    (fast,) = leases.claim(Mail, limit=1, where="id = %s", params=(slow.pk,))
    return slow, fast


def test_a_worker_that_slept_past_its_lease_cannot_finish(work: list[Mail]) -> None:
    slow, fast = overtaken(work)
    with pytest.raises(leases.LeaseLost):
        leases.finish(slow)
    leases.finish(fast)
    assert Mail.objects.get(pk=fast.pk).state == WorkState.DONE


def test_without_the_fence_it_could(work: list[Mail]) -> None:
    slow, _ = overtaken(work)
    slow.fence = Mail.objects.get(pk=slow.pk).fence  # what a finish that does not look at the fence would do
    leases.finish(slow)


def test_a_lost_lease_is_not_given_back(work: list[Mail]) -> None:
    slow, fast = overtaken(work)
    leases.give_back(slow, "too late")
    kept = Mail.objects.get(pk=fast.pk)
    assert (kept.state, kept.last_error) == (WorkState.LEASED, "")


def test_attempts_count_even_when_no_worker_comes_back(work: list[Mail]) -> None:
    only = (work[0].pk,)
    for attempt in range(1, Mail.max_attempts + 1):
        (mail,) = leases.claim(Mail, seconds=0, where="id = %s", params=only)
        assert mail.attempts == attempt
        time.sleep(0.01)
    assert leases.claim(Mail, seconds=0, where="id = %s", params=only) == []
    assert Mail.objects.get(pk=only[0]).state == WorkState.DEAD


def test_a_failure_waits_longer_each_time(work: list[Mail]) -> None:
    waits = []
    for _ in range(3):
        Mail.objects.filter(pk=work[0].pk).update(run_after="2026-01-01T00:00:00Z")
        (mail,) = leases.claim(Mail, where="id = %s", params=(work[0].pk,))
        leases.give_back(mail, "no answer", delay_seconds=10)
        with connection.cursor() as cursor:
            cursor.execute(
                "select extract(epoch from run_after - clock_timestamp()) from core_mail where id = %s", [mail.pk]
            )
            waits.append(round(float(cursor.fetchone()[0])))
    assert waits == [10, 20, 40]


def test_only_due_rows_are_claimed_and_counted(work: list[Mail]) -> None:
    Mail.objects.exclude(pk=work[0].pk).update(run_after="2199-01-01T00:00:00Z")
    assert leases.due(Mail) == 1
    assert [mail.pk for mail in leases.claim(Mail, limit=100)] == [work[0].pk]
    assert leases.due(Mail) == 0
