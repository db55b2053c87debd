"""A source that is silent rings: on the status page, for programs, in the metrics and in the doctor's list."""

from datetime import datetime, timedelta

import pytest
from django.test import Client

from accounts import minting
from accounts.models import User
from core import clock
from core.audit import acting
from monitoring import doctor, heartbeat, status
from tests.usage.factories import hour, opened, report, source
from tests.usage.test_manifests import manifest
from tests.usage.test_pages import signed_in, text
from usage import manifests
from usage.agreement import read
from usage.models import Source

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> datetime:
    return clock.now()


@pytest.fixture
def silent(now: datetime) -> Source:
    """A source of which nothing was heard for four hours, with an hour that agrees and two refused events."""
    made = source("router", owner="Edge team")
    report(made, [opened(0, id="o"), {"id": "bad"}, {"id": "worse"}])
    manifests.state(made, read(manifest(["o"], {"duration": {"opens": 1}}, 0)))
    Source.objects.update(last_received_at=now - timedelta(hours=4), last_heartbeat_at=None)
    return made


def everything_else_is_well() -> None:
    for cluster in ("money", "documents", "mail"):
        heartbeat.beat(cluster)


class TestASilentSource:
    def test_is_not_healthy(self, silent: Source, now: datetime) -> None:
        everything_else_is_well()
        taken = status.take(at=now)
        assert not taken.healthy and [one.source.name for one in taken.silent] == ["router"]
        Source.objects.update(last_heartbeat_at=now)
        assert status.take(at=now).healthy

    def test_is_on_the_page_with_the_reason(self, silent: Source) -> None:
        shown = text(signed_in("operator").get("/status/"))
        assert "Silent since" in shown and "Its metering is broken" in shown
        assert "/sources/router/" in shown and "Edge team" in shown

    def test_is_told_to_programs(self, silent: Source) -> None:
        with acting("system:test"):
            olga = User.objects.create_user("olga@example.com", role="operator")
        secret = minting.for_staff(olga, ["status:read"], actor="user:olga@example.com").text
        answer = Client(headers={"Authorization": f"Bearer {secret}"}).get("/api/v1/status").json()
        (one,) = answer["sources"]
        assert (one["name"], one["state"], one["quarantined"]) == ("router", "silent", 2)
        assert one["watermark"] == "2026-10-01T01:00:00Z" and one["explanation"].startswith("Silent since")

    def test_is_in_the_doctor_s_list(self, silent: Source) -> None:
        (symptom,) = [one for one in doctor.examine() if one.name == "source router"]
        assert not symptom.well and "Edge team" in symptom.remedy


def test_every_source_has_its_metrics(silent: Source, client: Client, now: datetime) -> None:
    source("quiet")
    lines = client.get("/metrics").content.decode().splitlines()
    values = {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")}
    names = ("last_heard_age", "watermark_lag", "quarantine_oldest")
    of = {name: values[f'vault_usage_source_{name}_seconds{{source="router"}}'] for name in names}
    assert 4 * 3600 <= of["last_heard_age"] < 4 * 3600 + 60
    lag = (now - hour(1)).total_seconds()
    assert lag <= of["watermark_lag"] < lag + 60
    assert 0 <= of["quarantine_oldest"] < 60
    assert values['vault_usage_source_quarantined_events{source="router"}'] == 2
    assert values['vault_usage_source_state{source="router",state="silent"}'] == 1
    assert values['vault_usage_source_state{source="router",state="healthy"}'] == 0
    assert values['vault_usage_source_watermark_lag_seconds{source="quiet"}'] == float("inf")
    assert values['vault_usage_source_quarantined_events{source="quiet"}'] == 0
