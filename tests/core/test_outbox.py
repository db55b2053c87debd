"""The outbox: news is kept with its fact, delivered by any number of drains, and one bad subscriber stops nobody."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import pytest
from django.db import connection, transaction

from core import outbox
from core.models import Mail, OutboxMessage
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


class Heard:
    """A subscriber that remembers what it heard and takes a moment for it."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self._lock = Lock()

    def __call__(self, payload: Mapping[str, Any]) -> None:
        time.sleep(0.002)
        with self._lock:
            self.keys.append(payload["key"])


def announce(*keys: str, topic: str = "issued") -> None:
    for key in keys:
        outbox.add(topic, key, {"key": key})


def test_the_same_fact_is_announced_once() -> None:
    announce("INV-1")
    announce("INV-1")
    assert OutboxMessage.objects.count() == 1


def test_a_fact_that_is_rolled_back_is_not_announced() -> None:
    with transaction.atomic():
        announce("INV-1")
        transaction.set_rollback(True)
    assert not OutboxMessage.objects.exists()


def drain(heard: Heard) -> int:
    try:
        return outbox.drain({"issued": [heard]})
    finally:
        connection.close()


def test_drains_beside_each_other_deliver_each_message_once() -> None:
    announce(*map(str, range(60)))
    heard = Heard()
    with ThreadPoolExecutor(4) as pool:
        delivered = [share.result() for share in [pool.submit(drain, heard) for _ in range(4)]]
    assert sorted(heard.keys, key=int) == [str(number) for number in range(60)]
    assert sum(delivered) == 60


def test_without_the_claim_and_the_row_lock_they_would_not(monkeypatch: pytest.MonkeyPatch) -> None:
    announce(*map(str, range(60)))
    monkeypatch.setattr(outbox, "_CLAIM", "select id, attempts from core_outboxmessage order by id limit 1")
    unlocked = type(OutboxMessage.objects.all())
    monkeypatch.setattr(unlocked, "select_for_update", lambda self, **_: self.all())
    heard = Heard()
    with ThreadPoolExecutor(4) as pool:
        for share in [pool.submit(drain, heard) for _ in range(4)]:
            share.result()
    assert len(heard.keys) > 60


def test_a_failing_subscriber_delays_only_its_own_message() -> None:
    announce("bad", topic="refused")
    announce("good")
    heard = Heard()

    def refuse(payload: Mapping[str, Any]) -> None:
        Mail.objects.create(kind="half", reference="1", recipient="a@example.com", subject="", text="")
        raise RuntimeError("no")

    assert outbox.drain({"refused": [refuse], "issued": [heard]}) == 1
    kept = OutboxMessage.objects.get()
    assert heard.keys == ["good"]
    assert (kept.key, kept.attempts, kept.last_error) == ("bad", 1, "RuntimeError('no')")
    assert not Mail.objects.exists(), "what the subscriber did before it failed is undone"
    assert outbox.drain({"refused": [heard]}) == 0, "it waits for its next try"
    OutboxMessage.objects.update(run_after="2026-01-01T00:00:00Z")
    assert outbox.drain({"refused": [heard]}) == 1
    assert heard.keys == ["good", "bad"]


def test_news_that_nobody_subscribed_to_is_dropped() -> None:
    announce("INV-1", topic="nobody")
    assert outbox.drain({}) == 1
    assert not OutboxMessage.objects.exists()


DEADLY = """
import os, signal
from core import outbox
die = lambda payload: os.kill(os.getpid(), signal.SIGKILL)
outbox.drain({"deadly": [die], "good": [lambda payload: print("heard")]})
"""


def test_news_that_kills_its_worker_holds_up_no_other(world: World) -> None:
    add = "from core import outbox; outbox.add('deadly', '1', {}); outbox.add('good', '1', {})"
    world.manage("shell", "--no-imports", "-c", add)
    assert world.manage("shell", "--no-imports", "-c", DEADLY, check=False).returncode == -9
    assert "heard" in world.manage("shell", "--no-imports", "-c", DEADLY).stdout
    assert world.sql("select topic, attempts from core_outboxmessage") == [("deadly", 1)]
