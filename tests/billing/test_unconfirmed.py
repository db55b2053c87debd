"""A month waits for its sources: none is opened on usage that may be missing, unless somebody says why."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.test import Client

from accounts import minting
from accounts.models import User
from billing import readiness, running
from billing.models import Run
from billing.running import NotConfirmed
from core import audit, clock
from core.errors import VaultError
from tests import factories
from tests.factories import ADA, OCTOBER
from tests.usage.factories import hour, opened, settled, source, written
from tests.usage.test_manifests import manifest
from usage import manifests, sources, watermark
from usage.agreement import read
from usage.models import Source

pytestmark = pytest.mark.django_db
WHY = "The router's manifests are broken; its events were counted by hand"


def state(one: Source, ids: list[str], meters: dict[str, Any], first: int, last: int) -> None:
    """State ``ids`` for the first hour, and nothing for those after it."""
    stated = [
        read(manifest(ids if at == first else [], meters if at == first else {}, at)) for at in range(first, last)
    ]
    manifests.state_all(one, stated)


@pytest.fixture
def dynos(db: None) -> Source:
    """A source that has stated October up to its last hour, which is missing."""
    factories.staff()
    factories.account("acme")
    one = source()
    settled(one, [opened(0.5, id="o", account="acme", app="shop")])
    state(one, ["o"], {"duration": {"opens": 1}}, 0, 743)
    return one


@pytest.fixture
def ada(db: None) -> Client:
    factories.staff()
    client = Client()
    client.force_login(User.objects.get(email="ada@example.com"), backend="django.contrib.auth.backends.ModelBackend")
    return client


def words(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


class TestARun:
    def test_waits_until_the_last_hour_is_confirmed(self, dynos: Source) -> None:
        with pytest.raises(NotConfirmed, match="complete up to 31 Oct 2026 23:00 UTC"):
            running.open_run(OCTOBER, actor=ADA)
        assert not Run.objects.exists()
        state(dynos, [], {}, 743, 744)
        run = running.open_run(OCTOBER, actor=ADA)
        assert (run.unconfirmed, run.unconfirmed_reason) == ([], "")

    def test_may_be_opened_with_a_reason_which_it_keeps(self, dynos: Source) -> None:
        with pytest.raises(NotConfirmed):
            running.open_run(OCTOBER, actor=ADA, despite="  ")
        run = running.open_run(OCTOBER, actor=ADA, despite=WHY)
        assert run.unconfirmed == [{"source": "dynos", "until": written(hour(743))}]
        assert run.unconfirmed_reason == WHY
        assert running.open_run(OCTOBER, actor=ADA).pk == run.pk

    def test_a_reason_without_need_is_not_kept(self, dynos: Source) -> None:
        state(dynos, [], {}, 743, 744)
        run = running.open_run(OCTOBER, actor=ADA, despite=WHY)
        assert (run.unconfirmed, run.unconfirmed_reason) == ([], "")

    def test_that_is_a_shadow_waits_for_nobody(self, dynos: Source) -> None:
        assert running.open_run(OCTOBER, shadow=True, actor=ADA).unconfirmed == []

    def test_an_event_that_was_lost_and_one_too_many_stop_it_as_well(self, dynos: Source) -> None:
        state(dynos, [], {}, 743, 744)
        state(dynos, ["o", "lost"], {"duration": {"opens": 2}}, 0, 1)
        with pytest.raises(NotConfirmed, match="1 Oct 2026 00:00"):
            running.open_run(OCTOBER, actor=ADA)
        state(dynos, ["o"], {"duration": {"opens": 1}}, 0, 1)
        settled(dynos, [opened(500, "extra", account="acme")])
        with pytest.raises(NotConfirmed, match="21 Oct 2026 20:00"):
            running.open_run(OCTOBER, actor=ADA)

    def test_the_database_keeps_no_run_on_missing_usage_without_a_reason(self, dynos: Source) -> None:
        run = running.open_run(OCTOBER, actor=ADA, despite=WHY)
        with pytest.raises(IntegrityError), audit.acting(ADA), connection.cursor() as cursor:
            cursor.execute("update billing_run set unconfirmed_reason = '' where id = %s", [run.pk])


class TestWhoIsWaitedFor:
    def names(self) -> list[str]:
        return [one.name for one, _ in watermark.waited_for(OCTOBER.end, now=clock.now())]

    def test_whoever_was_there_and_does_not_speak(self) -> None:
        one = source("silent")
        Source.objects.update(created_at=OCTOBER.start)
        assert self.names() == ["silent"]
        sources.heartbeat(one)
        assert self.names() == []
        Source.objects.update(last_heartbeat_at=OCTOBER.end + timedelta(minutes=59))  # it may be an hour late
        assert self.names() == ["silent"]

    def test_a_paused_one_but_neither_a_revoked_nor_a_new_one(self) -> None:
        one = source("old")
        source("younger")
        Source.objects.filter(name="old").update(created_at=OCTOBER.start)
        sources.pause(one, actor=ADA, reason="x")
        assert self.names() == ["old"]
        sources.revoke(one, actor=ADA, reason="gone")
        assert self.names() == []

    def test_nobody_who_never_had_a_secret(self) -> None:
        Source.objects.create(name="ours", created_at=OCTOBER.start)
        Source.objects.update(created_at=OCTOBER.start)
        assert self.names() == []


@pytest.mark.usefixtures("dynos")
class TestWays:
    def test_the_page_names_them_asks_why_and_shows_it_at_the_approval(self, ada: Client) -> None:
        shown = words(ada.get("/runs/open/?month=2026-10"))
        assert "Source dynos has not confirmed the month" in shown and 'name="despite"' in shown
        assert "waits for dynos" in words(ada.post("/runs/open/", {"month": "2026-10"}))
        ada.post("/runs/open/", {"month": "2026-10", "despite": WHY})
        run = Run.objects.get()
        with audit.acting("system:test"):
            Run.objects.update(state="review", opened_by="user:grace@example.com")
        for page in (f"/runs/{run.pk}/", f"/runs/{run.pk}/approve/"):
            answer = words(ada.get(page))
            assert "dynos" in answer and "counted by hand" in answer, page

    def test_the_page_of_a_shadow_asks_nothing(self, ada: Client) -> None:
        assert 'name="despite"' not in words(ada.get("/runs/open/?month=2026-10&shadow=on"))

    def test_the_api(self, ada: Client) -> None:
        user = User.objects.get(email="ada@example.com")
        secret = minting.for_staff(user, ["runs:read", "runs:write"], actor=ADA).text
        api = Client(headers={"Authorization": f"Bearer {secret}"})
        refused = api.post("/api/v1/runs", {"month": "2026-10"}, content_type="application/json")
        assert (refused.status_code, refused.json()["code"]) == (409, "usage_not_confirmed")
        made = api.post("/api/v1/runs", {"month": "2026-10", "despite": WHY}, content_type="application/json")
        assert made.status_code == 201
        assert (made.json()["unconfirmed"][0]["source"], made.json()["unconfirmed_reason"]) == ("dynos", WHY)

    def test_the_command(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises((CommandError, VaultError), match="waits for dynos"):
            call_command("close_month", "2026-10")
        call_command("close_month", "2026-10", "--despite", WHY)
        assert Run.objects.get().unconfirmed_reason == WHY


def test_readiness_names_them_only_when_the_month_is_over(dynos: Source) -> None:
    assert [one.name for one, _ in readiness.of(OCTOBER).unconfirmed] == ["dynos"]
