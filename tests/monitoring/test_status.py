"""The status is read from the tables: what waits, what gave up, and who no longer answers."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection, connections
from django.test import Client
from django.utils.module_loading import import_string

from accounts import minting
from core import clock, databases
from core.models import LeasedWork, Mail, WorkState
from core.periods import Month
from monitoring import doctor, heartbeat, status
from monitoring.models import Ring
from tests import factories
from tests.usage.factories import opened, report, source
from usage import pairing, partitions

pytestmark = pytest.mark.django_db


def test_every_kind_of_leased_work_is_watched() -> None:
    kinds = {model for model in apps.get_models() if issubclass(model, LeasedWork)}
    assert {import_string(dotted) for _, dotted in status.WORK} == kinds


def silence(cluster: str, seconds: int) -> None:
    heartbeat.beat(cluster)
    Ring.objects.create(name=cluster, asked_at=clock.now() - timedelta(seconds=seconds), rung_at=clock.now())


def waits(seconds: int) -> None:
    """Let every event have come that much earlier, past the trigger that keeps events as they are."""
    with connections[databases.usage()].cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute("update usage_event set received_at = received_at - make_interval(secs => %s)", [seconds])
        cursor.execute("set local session_replication_role = origin")


class TestStatus:
    def test_a_cluster_that_owes_an_answer_is_not_alive(self) -> None:
        silence("money", 61)
        silence("mail", 5)
        alive = {cluster.name: cluster.alive for cluster in status.take(at=clock.now()).clusters}
        assert alive == {"money": False, "documents": False, "mail": True}

    def test_work_that_gave_up_is_not_healthy(self) -> None:
        for cluster in ("money", "documents", "mail"):
            heartbeat.beat(cluster)
        assert status.take(at=clock.now()).healthy
        Mail.objects.create(
            kind="k", reference="r", recipient="a@b.example", subject="s", text="t", state=WorkState.DEAD
        )
        taken = status.take(at=clock.now())
        assert not taken.healthy
        assert {kind.name: kind.dead for kind in taken.work}["Mail"] == 1


class TestAddressesForMachines:
    def test_alive_asks_nothing(self, client: Client, django_assert_num_queries: object) -> None:
        with django_assert_num_queries(0):  # type: ignore[operator]
            assert client.get("/healthz").json() == {"status": "ok"}

    def test_ready_when_migrated(self, client: Client) -> None:
        assert client.get("/readyz").status_code == 200

    def test_not_ready_while_a_migration_waits(self, client: Client) -> None:
        with connection.cursor() as cursor:
            cursor.execute("delete from django_migrations where app = 'monitoring' and name like '0002%'")
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["migrations_waiting"]) == (503, 1)

    def test_metrics_are_prometheus_text(self, client: Client) -> None:
        silence("money", 61)
        text = client.get("/metrics").content.decode()
        assert 'vault_work_items{kind="Charges",state="dead"} 0.0' in text
        assert 'vault_queue_messages{cluster="money"}' in text
        assert "vault_usage_unpaired_events 0.0" in text
        assert "vault_usage_pairing_lag_seconds 0.0" in text

    def test_metrics_tell_how_long_the_oldest_event_waits_to_be_paired(self, client: Client) -> None:
        now = clock.database_now()
        report(source("dynos"), [opened(0), opened(0, "r2")])
        waits(901)
        taken = status.take(at=now)
        assert (taken.unpaired, 901 <= taken.unpaired_oldest_seconds < 960) == (2, True)
        assert not taken.pairing_keeps_up and not taken.healthy
        assert "vault_usage_pairing_lag_seconds 90" in client.get("/metrics").content.decode()
        pairing.drain()
        assert status.take(at=now).unpaired_oldest_seconds == 0

    def test_tells_when_a_month_ahead_has_no_place_yet(self, client: Client) -> None:
        now = clock.database_now()
        assert status.take(at=now).months_missing == ()
        with connection.cursor() as cursor:
            cursor.execute(f"drop table usage_event_{now:%Y_%m}")
        taken = status.take(at=now)
        assert (taken.months_missing, taken.healthy) == ((Month.containing(now),), False)
        assert "vault_usage_missing_months 1.0" in client.get("/metrics").content.decode()
        assert [one.well for one in doctor.examine() if one.name == "months of usage"] == [False]
        partitions.sweep()
        assert status.take(at=now).months_missing == ()


class TestStatusPage:
    def test_shows_silence_and_failures_to_operators(self, client: Client) -> None:
        client.force_login(factories.staff()["ada"], backend="django.contrib.auth.backends.ModelBackend")
        silence("money", 61)
        page = client.get("/status/").content.decode()
        assert "Something needs you" in page and "Silent" in page

    def test_checks_the_invariants_when_asked(self, client: Client) -> None:
        client.force_login(factories.staff()["ada"], backend="django.contrib.auth.backends.ModelBackend")
        page = client.post("/status/verify/", follow=True).content.decode()
        assert "all hold" in page

    def test_is_not_for_strangers(self, client: Client) -> None:
        assert client.get("/status/")["Location"].startswith("/sign-in/")


class TestStatusApi:
    def test_tells_a_program_the_same(self, client: Client) -> None:
        silence("money", 61)
        key = minting.for_staff(factories.staff()["ada"], ["status:read"], actor="system:test")
        answer = client.get("/api/v1/status", headers={"Authorization": f"Bearer {key.text}"}).json()
        assert answer["healthy"] is False
        assert {cluster["name"]: cluster["alive"] for cluster in answer["clusters"]}["money"] is False

    def test_needs_its_scope(self, client: Client) -> None:
        key = minting.for_staff(factories.staff()["ada"], ["runs:read"], actor="system:test")
        assert client.get("/api/v1/status", headers={"Authorization": f"Bearer {key.text}"}).status_code == 403


class TestDoctor:
    def test_names_workers_that_were_never_seen_and_what_to_do(self) -> None:
        symptoms = {symptom.name: symptom for symptom in doctor.examine()}
        assert symptoms["database default"].well and symptoms["migrations default"].well
        assert "Start the workers" in symptoms["workers money"].remedy
