"""Signs of life: asked once, answered by a real task, and silence counted from the first unanswered ring."""

import sys

import pytest
from django.db import connection
from django.utils.module_loading import import_string
from pytest_django import Settings

from core import bell
from monitoring import heartbeat, tasks
from monitoring.management.commands import clock
from monitoring.models import Heartbeat, Ring, Sweep

pytestmark = pytest.mark.django_db


def age_rings(seconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "update monitoring_ring set asked_at = asked_at - make_interval(secs => %s),"
            " rung_at = rung_at - make_interval(secs => %s)",
            [seconds, seconds],
        )


def test_nobody_is_silent_who_was_not_asked() -> None:
    assert heartbeat.silence("money") == 0


def test_it_asks_once_and_again_when_the_ring_may_be_lost() -> None:
    assert heartbeat.ask_cluster("money")
    assert not heartbeat.ask_cluster("money")
    age_rings(61)
    assert heartbeat.ask_cluster("money")
    assert bell.waiting("money") == 2
    assert 61 <= heartbeat.silence("money") < 70, "silence counts from the first ring, not from the last"


def test_a_beat_answers_every_ring() -> None:
    heartbeat.ask_cluster("money")
    age_rings(100)
    tasks.beat_money()
    assert heartbeat.silence("money") == 0
    assert Heartbeat.objects.get(cluster="money").pid
    assert heartbeat.ask_cluster("money"), "and the next ring is a new question"


def test_the_clock_rings_for_everybody_and_never_piles_up() -> None:
    for _ in range(5):
        clock.ring()
    assert {cluster: bell.waiting(cluster) for cluster in bell.CLUSTERS} == {"money": 2, "documents": 1, "mail": 1}
    assert set(Ring.objects.values_list("name", flat=True)) == {"tick", *bell.CLUSTERS}


swept: list[str] = []


def good_sweep() -> None:
    swept.append("good")


def bad_sweep() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select no_such_column from monitoring_sweep")


HERE = "tests.monitoring.test_heartbeat"


@pytest.mark.django_db(transaction=True)
def test_a_failing_sweep_stops_no_other(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, HERE, sys.modules[__name__])
    settings.SWEEPS = (f"{HERE}.bad_sweep", "no.such.module", f"{HERE}.good_sweep")
    swept.clear()
    assert tasks.tick() == 2
    assert swept == ["good"]
    errors = dict(Sweep.objects.values_list("name", "error"))
    assert "no_such_column" in errors[f"{HERE}.bad_sweep"]
    assert errors["no.such.module"].startswith("ModuleNotFoundError")
    assert errors[f"{HERE}.good_sweep"] == ""


def test_a_sweep_remembers_since_when_it_fails() -> None:
    tasks.sweep("no.such.module")
    first = Sweep.objects.get().failed_since
    tasks.sweep("no.such.module")
    assert first and Sweep.objects.get().failed_since == first
    Sweep.objects.update(name="django.utils.timezone.now")
    tasks.sweep("django.utils.timezone.now")
    assert Sweep.objects.get().failed_since is None


def test_every_sweep_exists(settings: Settings) -> None:
    assert all(callable(import_string(name)) for name in settings.SWEEPS)
