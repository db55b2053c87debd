"""Corrections for programs: previewed, recorded as previewed, read with what gave way, taken back."""

from typing import Any

import pytest
from django.test import Client

from tests import factories
from tests.factories import OCTOBER, account, ran, use
from tests.usage.factories import hour, written
from tests.usage.test_source_api import program
from usage.models import Amendment

pytestmark = pytest.mark.django_db
PATH = "/api/v1/usage/amendments"
ONCE = {"Idempotency-Key": "a"}


@pytest.fixture
def operator(db: None) -> Client:
    account("acme")
    use(ran("w", "standard-1x", OCTOBER.start, OCTOBER.end, "acme"))
    factories.close(OCTOBER)
    return program("operator", ["usage:read", "usage:write"])


def post(client: Client, path: str = "", **body: Any) -> Any:
    headers = body.pop("headers", {})
    return client.post(f"{PATH}{path}", body, content_type="application/json", headers=headers)


def half_of_october(**more: Any) -> dict[str, Any]:
    close = {"type": "close", "time": written(hour(372)), "product": "standard-1x"}
    window = {"start": written(hour(372)), "end": written(OCTOBER.end.replace(hour=1))}
    return {"resource": "w", **window, "events": [close], "reason": "It was closed in the middle."} | more


class TestAmend:
    def test_shows_records_and_reads(self, operator: Client) -> None:
        shown = post(operator, **half_of_october(preview=True))
        assert shown.status_code == 200 and not Amendment.objects.exists()
        moved = shown.json()
        assert moved["totals"] == {"USD": "-12.50"}
        (one,) = moved["movements"]
        assert (one["before"], one["after"], one["lands"], one["lands_in"]) == (
            "25.00",
            "12.50",
            "adjustment",
            "2026-11",
        )
        assert one["billed_by"]
        made = post(operator, **half_of_october(token=moved["token"]), headers=ONCE)
        again = post(operator, **half_of_october(token=moved["token"]), headers=ONCE)
        assert made.status_code == again.status_code == 201 and made.json() == again.json()
        detail = operator.get(f"{PATH}/{Amendment.objects.get().pk}").json()
        assert [event["type"] for event in detail["gave_way"]] == ["close"]
        assert [(event["type"], event["counts"], event["source"]) for event in detail["events"]] == [
            ("close", True, "amendments")
        ]

    def test_of_something_else_than_shown_is_refused(self, operator: Client) -> None:
        token = post(operator, **half_of_october(preview=True)).json()["token"]
        other = post(operator, **half_of_october(token=token, events=[]))
        assert (other.status_code, other.json()["code"]) == (409, "preview_outdated")
        assert not Amendment.objects.exists()

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"start": "yesterday"}, "start"),
            ({"end": "2027-10-01T00:00:00Z"}, "end"),
            ({"resource": "unheard-of"}, "resource"),
            ({"events": ["x"]}, "events[0]"),
            ({"events": [{"type": "close", "time": "2026-10-20T00:00:00Z"}]}, "events[0].product"),
            ({"events": [{"type": "jump", "time": "2026-10-20T00:00:00Z", "product": "x"}]}, "events[0].type"),
            ({"events": [{"type": "close", "time": "2026-10-20T00:00:00Z", "product": "gold"}]}, "events[0].product"),
            ({"events": [{"type": "close", "time": "2026-10-02T00:00:00Z", "product": "basic"}]}, "events[0].time"),
            ({"events": [{"id": "x", "type": "close"}]}, "events[0]"),
            (
                {"events": [{"type": "measured", "time": "2026-10-20T00:00:00Z", "product": "basic", "meter": "m",
                             "quantity": "NaN"}]},
                "events[0].quantity",
            ),
        ],
    )  # fmt: skip
    def test_says_what_is_wrong_and_where(self, operator: Client, wrong: dict[str, Any], field: str) -> None:
        answer = post(operator, **half_of_october(**wrong))
        assert (answer.status_code, answer.json()["field"]) == (400, field), answer.json()
        assert answer.headers["Content-Type"] == "application/problem+json"

    def test_needs_an_operator(self, operator: Client) -> None:
        assert post(program("auditor", ["usage:read", "usage:write"]), **half_of_october()).status_code == 403


class TestRevert:
    def test_shows_and_takes_back_once(self, operator: Client) -> None:
        post(operator, **half_of_october())
        one = Amendment.objects.get()
        shown = post(operator, f"/{one.pk}/revert", reason="It was not.", preview=True).json()
        assert shown["totals"] == {"USD": "12.50"}
        later = post(operator, **half_of_october()).json()["amendments"][0]["id"]
        taken = post(operator, f"/{one.pk}/revert", reason="It was not.")
        assert taken.json()["covered_by"] == [later] and taken.json()["totals"] == {}
        assert post(operator, f"/{one.pk}/revert", reason="Again.").json()["code"] == "conflict"
        assert post(operator, "/99999/revert", reason="x").status_code == 404

    def test_of_a_batch_takes_all_of_it(self, operator: Client) -> None:
        post(operator, **half_of_october())
        one = Amendment.objects.get()
        assert post(operator, f"/{one.pk}/revert", reason="No.", batch=True).status_code == 200
        assert not Amendment.objects.filter(reverted_at=None).exists()


def test_are_listed_and_narrowed(operator: Client) -> None:
    post(operator, **half_of_october())
    one = Amendment.objects.get()
    for asked, count in (
        ("", 1), ("resource=w", 1), ("resource=v", 0), ("state=standing", 1), ("state=reverted", 0),
        (f"batch={one.batch}", 1),
    ):  # fmt: skip
        assert len(operator.get(f"{PATH}?{asked}").json()["results"]) == count, asked
    assert operator.get(f"{PATH}?state=gone").json()["field"] == "state"
    assert operator.get(f"{PATH}?batch=x").json()["field"] == "batch"
    assert operator.get(f"{PATH}?resource=%00").status_code in (200, 400)
