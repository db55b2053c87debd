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

    def test_see_what_became_of_one_hour(self, api: Client) -> None:
        answer = api.get(f"{API}/hour", {"source": "dynos", "hour": written(hour(1))}).json()
        assert (answer["source"], answer["hour"]) == ("dynos", written(hour(1)))
        (one,) = answer["resources"]
        assert (one["resource"], one["account"], one["code"]) == ("r2", "acme", "unpriced")
        assert (one["events"], one["quantity"], one["meter"]) == (1, "2.5", "requests")
        assert (
            api.get(f"{API}/hour", {"source": "dynos", "hour": written(hour(1)), "meter": "x"}).json()["resources"]
            == []
        )

    @pytest.mark.parametrize(
        ("asked", "field"),
        [
            ({"hour": written(hour(1))}, "source"),
            ({"source": "dynos"}, "hour"),
            ({"source": "dynos", "hour": written(hour(1.5))}, "hour"),
            ({"source": "dynos", "hour": written(hour(1)), "meter": "\0"}, "meter"),
        ],
    )
    def test_are_told_what_an_hour_is(self, api: Client, asked: dict[str, str], field: str) -> None:
        answer = api.get(f"{API}/hour", asked)
        assert (answer.status_code, answer.json()["field"]) == (400, field)


class TestPeople:
    @pytest.mark.usefixtures("dynos")
    def test_look_into_an_hour(self, page: Client) -> None:
        where = "/usage/reconciliation/hour/?source=dynos&amp;hour=2026-10-01T01%3A00%3A00Z&amp;meter=requests"
        assert where in words(page.get("/usage/reconciliation/?day=2026-10-01"))
        shown = words(page.get(where.replace("&amp;", "&")))
        assert "/usage/resources/r2/" in shown and "of a product without a price" in shown
        assert "requests: 0 opens, 0 closes, 2 measured" in shown and "1 stated but never received." in shown
        for wrong in ("hour=yesterday&source=dynos", "source=dynos", "hour=2026-10-01T00:00:00Z&source=nobody"):
            assert page.get(f"/usage/reconciliation/hour/?{wrong}").status_code in (400, 404)

    @pytest.mark.usefixtures("dynos")
    def test_take_the_rows_along(self, page: Client) -> None:
        asked = "/usage/reconciliation/export.csv?day=2026-10-01&until=2026-10-02&meter=requests"
        lines = b"".join(page.get(asked)).decode().splitlines()  # type: ignore[arg-type]
        assert lines[0].startswith("hour,source,meter,state,manifest_events,manifest_quantity,received_events")
        assert lines[1].startswith("2026-10-01T01:00:00Z,dynos,requests,differs,2,4,1,2.5,1,2.5") and len(lines) == 2

    def test_are_told_when_it_is_too_much(self, page: Client) -> None:
        assert "At most 31 days" in words(page.get("/usage/reconciliation/?day=2026-01-01&until=2026-06-01"))

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
