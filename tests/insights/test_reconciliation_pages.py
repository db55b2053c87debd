"""The five columns as people and programs see them, the sources' list, and the warning before a month is closed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts import minting
from accounts.models import Role, User
from billing import readiness
from core.audit import acting
from core.periods import Month
from tests import factories
from tests.usage.factories import hour, measured, opened, settled, source, written
from tests.usage.test_manifests import manifest
from usage import manifests, sources
from usage.agreement import read
from usage.models import Source

pytestmark = pytest.mark.django_db
API = "/api/v1/usage/reconciliation"
DAY = {"from": written(hour(0)), "to": written(hour(24))}


@pytest.fixture
def olga(db: None) -> User:
    with acting("system:test"):
        return User.objects.create_user("olga@example.com", None, role=Role.OPERATOR)


@pytest.fixture
def page(olga: User) -> Client:
    client = Client()
    client.force_login(olga, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def api(olga: User) -> Client:
    secret = minting.for_staff(olga, ["usage:read"], actor="user:olga@example.com").text
    return Client(headers={"Authorization": f"Bearer {secret}"}, raise_request_exception=False)


@pytest.fixture
def dynos(db: None) -> Source:
    """An hour that agrees as far as it can, and one from which an event was lost."""
    factories.account("acme")
    one = source()
    settled(one, [opened(0.5, id="o", account="acme"), measured(1.5, "2.50", "r2", id="m", account="acme")])
    manifests.state(one, read(manifest(["o"], {"duration": {"opens": 1}}, 0)))
    manifests.state(one, read(manifest(["m", "x"], {"requests": {"measured": 2, "quantity": "4"}}, 1)))
    return one


def words(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


@pytest.mark.usefixtures("dynos")
class TestPrograms:
    def test_see_every_column_and_what_explains_a_gap(self, api: Client) -> None:
        answer = api.get(API, DAY | {"source": "dynos"}).json()
        assert (answer["from"], answer["to"]) == (DAY["from"], DAY["to"])
        assert answer["states"] == {"agrees": 0, "waits": 1, "differs": 1}
        lost, first = answer["hours"]
        assert (lost["hour"], lost["meter"], lost["state"]) == (written(hour(1)), "requests", "differs")
        assert lost["manifest"] == {"events": 2, "quantity": "4"}
        assert lost["received"] == lost["paired"] == {"events": 1, "quantity": "2.5"}
        assert lost["differences"][0] == {
            "code": "missing", "events": 1, "quantity": "1.5", "detail": "1 stated but never received.",
        }  # fmt: skip
        assert [d["code"] for d in first["differences"]] == ["month_open"]
        assert answer["totals"]["received"] == {"events": 2, "quantity": "2.5"}

    def test_may_ask_for_what_differs_only(self, api: Client) -> None:
        assert len(api.get(API, DAY | {"state": "differs"}).json()["hours"]) == 1
        assert api.get(API).json()["hours"] == []  # the last day

    @pytest.mark.parametrize(
        ("asked", "field"),
        [
            ({"source": "nobody"}, "source"),
            ({"source": "\0"}, "source"),
            ({"from": "yesterday"}, "from"),
            ({"from": written(hour(2)), "to": written(hour(1))}, "to"),
            ({"from": written(hour(0)), "to": written(hour(24 * 32))}, "to"),
            ({"from": "0001-01-01T00:00:00Z"}, "from"),
        ],
    )
    def test_are_told_what_is_wrong(self, api: Client, asked: dict[str, str], field: str) -> None:
        answer = api.get(API, asked)
        assert (answer.status_code, answer.json()["field"]) == (400, field)

    def test_find_the_sources_with_their_watermarks(self, api: Client) -> None:
        source("quiet")
        found = {one["name"]: one for one in api.get("/api/v1/usage/sources").json()["results"]}
        assert (found["dynos"]["watermark"], found["dynos"]["watermark_basis"]) == (written(hour(1)), "manifests")
        assert (found["dynos"]["state"], found["dynos"]["events_24h"]) == ("healthy", 2)
        assert (found["quiet"]["state"], found["quiet"]["watermark"]) == ("new", None)


class TestPeople:
    @pytest.mark.usefixtures("dynos")
    def test_see_what_is_missing_and_where(self, page: Client) -> None:
        shown = words(page.get("/usage/reconciliation/?day=2026-10-01"))
        assert "1 stated but never received." in shown
        assert "A person must look" in shown
        only = words(page.get("/usage/reconciliation/?day=2026-10-01&state=waits&source=dynos"))
        assert "stated but never received" not in only and "of a month that is not issued yet" in only

    def test_see_what_to_do_when_there_is_nothing(self, page: Client) -> None:
        assert "Choose another day" in words(page.get("/usage/reconciliation/"))
        assert page.get("/usage/reconciliation/?day=never&state=x&source=%00").status_code == 200

    @pytest.mark.usefixtures("dynos")
    def test_see_the_watermark_of_sources(self, page: Client) -> None:
        assert "1 Oct 2026 01:00 UTC" in words(page.get("/sources/"))
        assert "Complete up to" in words(page.get("/sources/dynos/"))

    def test_are_warned_before_a_close(self, page: Client, dynos: Source) -> None:
        shown = words(page.get("/runs/open/?month=2026-10"))
        assert "Source dynos has not confirmed the month: it is complete up to" in shown
        assert "source=dynos&amp;day=2026-10-01" in shown


class TestBeforeAClose:
    def test_a_source_that_has_not_confirmed_the_month_is_named(self, dynos: Source) -> None:
        heard = source("heard")
        sources.heartbeat(heard)
        silent = source("silent")
        Source.objects.filter(name="silent").update(created_at=hour(0))
        source("younger than the month and never heard".replace(" ", "-"))
        found = readiness.of(Month(2026, 10)).unconfirmed
        assert [(one, mark.until) for one, mark in found] == [(dynos, hour(1)), (silent, None)]

    def test_a_running_month_warns_of_nothing(self, dynos: Source) -> None:
        running = Month.containing(datetime.now(UTC) + timedelta(days=1))
        assert readiness.of(running).unconfirmed == []
