"""Doorbells ring with the transaction, and a sweep rings only for due work."""

from datetime import timedelta

import pytest
from django.db import transaction
from django_q.models import OrmQ

from core import bell, clock, mailing
from core.models import Mail

pytestmark = pytest.mark.django_db


def queue_one() -> None:
    mailing.queue(kind="test", reference="1", recipient="ada@example.com", subject="", text="")


def test_a_rolled_back_transaction_rings_nothing() -> None:
    with transaction.atomic():
        queue_one()
        assert bell.waiting("mail") == 1
        transaction.set_rollback(True)
    assert bell.waiting("mail") == 0


def test_a_sweep_rings_for_due_work_only() -> None:
    mailing.sweep()
    assert bell.waiting("mail") == 0
    Mail.objects.create(kind="test", reference="1", recipient="ada@example.com", subject="", text="")
    mailing.sweep()
    assert bell.waiting("mail") == 1
    assert bell.waiting("money") == 0


def test_bells_do_not_pile_up_before_a_deaf_cluster() -> None:
    Mail.objects.create(kind="test", reference="1", recipient="ada@example.com", subject="", text="")
    for _ in range(bell.ENOUGH_WAITING + 10):
        mailing.sweep()
    assert bell.waiting("mail") == bell.ENOUGH_WAITING


def test_what_a_killed_worker_had_taken_keeps_nobody_from_ringing() -> None:
    Mail.objects.create(kind="test", reference="1", recipient="ada@example.com", subject="", text="")
    for _ in range(bell.ENOUGH_WAITING):
        bell.ring(mailing.SEND_TASK, cluster="mail")
    mailing.sweep()
    assert bell.waiting("mail") == bell.ENOUGH_WAITING, "there are enough"
    OrmQ.objects.update(lock=clock.now() + timedelta(minutes=10))  # as the broker marks what a worker has taken
    mailing.sweep()
    assert bell.waiting("mail") == 1
