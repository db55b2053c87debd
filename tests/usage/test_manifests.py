"""Manifests: stated once, superseded openly, refused with a sentence; and totals that are folded, never recounted."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Invalid
from core.periods import Span
from core.sql import ROOT
from tests.usage.factories import closed, event, hour, measured, opened, report, source, written
from usage import agreement, hour_totals, manifests, sources
from usage.agreement import Sums
from usage.models import Event, HourFold, HourTotal, Manifest, Source

MANIFESTS = "/api/v1/usage/manifests"
Post = Callable[..., Any]


def manifest(ids: list[str], meters: dict[str, Any], at: float = 0) -> dict[str, Any]:
    """What a source says of the hour ``at``; the hash as docs/usage.md tells a source to make it."""
    digest = sum(int.from_bytes(hashlib.sha256(one.encode()).digest()[:8], "big") for one in ids) % 2**64
    counts = [sums.get(name, 0) for sums in meters.values() for name in ("opens", "closes", "measured")]
    return {"hour": written(hour(at)), "events": sum(counts), "hash": f"{digest:016x}", "meters": meters}


@pytest.fixture
def secret(db: None) -> str:
    return sources.create("dynos", actor="user:olga@example.com", past_days=3650)[1].text


@pytest.fixture
def post(secret: str) -> Post:
    client = Client(headers={"Authorization": f"Bearer {secret}"}, raise_request_exception=False)

    def send(content: Any) -> Any:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        return client.post(MANIFESTS, data, content_type="application/json")

    return send


class TestReading:
    def test_the_hash_is_a_sum_in_any_order(self) -> None:
        assert agreement.rolling_hash(["a", "é", "b"]) == agreement.rolling_hash(["b", "a", "é"])
        assert agreement.rolling_hash(["a"]) == "ca978112ca1bbdca"
        assert agreement.rolling_hash([]) == "0" * 16

    def test_the_documentation_shows_a_source_how(self) -> None:
        text = (ROOT / "docs" / "usage.md").read_text()
        told = json.loads(text.split("```json\n")[1].split("```")[0])
        example: dict[str, Any] = {}
        exec(text.split("```python\n")[1].split("```")[0], example)  # our own documentation
        hour_of_a_source = example["Hour"]()
        for one in ("e1", "e2", "e3"):
            hour_of_a_source.add(one)
        assert hour_of_a_source.hash() == agreement.rolling_hash(["e3", "e1", "e2"]) == agreement.read(told).hash

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("hour", "2026-10-01T00:30:00Z"),
            ("hour", "yesterday"),
            ("events", 3),
            ("events", -1),
            ("events", 1.5),
            ("hash", "12"),
            ("meters", []),
            ("meters", {"": {"opens": 2}}),
            ("meters", {"\0": {"opens": 2}}),
            ("meters", {"\ud800": {"opens": 2}}),
            ("meters", {"gb": {"measured": 2, "quantity": 1.5}}),
            ("meters", {"gb": {"opens": 2, "quantity": "1"}}),
            ("meters", {"gb": {"measured": 2, "quantity": "-1"}}),
            ("meters", {"gb": {"measured": 2, "quantity": "1e30"}}),
            ("meters", {"gb": {"measured": 2, "quantity": "0.0000000000001"}}),
            ("meters", {"gb": {"measured": 2, "sum": "1"}}),
        ],
    )
    def test_every_mistake_is_named(self, field: str, value: Any) -> None:
        said = {"hour": "2026-10-01T00:00:00Z", "events": 2, "hash": "0" * 16, "meters": {"gb": {"measured": 2}}}
        assert agreement.read(said).events == 2
        with pytest.raises(Invalid) as refused:
            agreement.read(said | {field: value})
        assert refused.value.field

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"[]", b"NaN", b"[" * 200_000, b'{"a":1,"a":1}', b"\xff", b"9" * 5000, b'{"hour":NaN}']
    )
    def test_anything_else_is_a_400(self, post: Post, body: bytes) -> None:
        answer = post(body)
        assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")


@pytest.mark.django_db
class TestStating:
    def test_the_answer_says_whether_both_agree(self, post: Post) -> None:
        one = Source.objects.get()
        said = manifest(["open-r1-standard-1x-0.5"], {"duration": {"opens": 1}})
        early = post(said)
        assert (early.status_code, early.json()["agrees"], early.json()["outcome"]) == (201, False, "new")
        report(one, [opened(0.5)])
        later = post(said)
        assert (later.status_code, later.json()["agrees"], later.json()["outcome"]) == (200, True, "repeated")
        assert later.json()["received"] == {"events": 1, "hash": said["hash"]}
        assert Manifest.objects.count() == 1

    def test_another_statement_supersedes_and_both_stay_readable(self, post: Post, secret: str) -> None:
        post(manifest([], {}))
        again = post(manifest(["x"], {"gb": {"measured": 1, "quantity": "1.50"}}))
        assert (again.status_code, again.json()["outcome"]) == (201, "superseded")
        answer = Client().get(MANIFESTS, headers={"Authorization": f"Bearer {secret}"}).json()["results"]
        assert [row["superseded_at"] is None for row in answer] == [True, False]
        assert answer[0]["meters"] == {"gb": {"opens": 0, "closes": 0, "measured": 1, "quantity": "1.5"}}

    def test_an_hour_that_is_not_over_is_refused(self, post: Post) -> None:
        now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        answer = post(manifest([], {}) | {"hour": written(now + timedelta(hours=1))})
        assert (answer.status_code, answer.json()["field"]) == (400, "hour")

    def test_only_the_source_itself_states(self, secret: str) -> None:
        assert Client().post(MANIFESTS, b"{}", content_type="application/json").status_code == 401
        assert Client().get(MANIFESTS).status_code == 401

    def test_the_database_refuses_edits(self, post: Post) -> None:
        post(manifest(["x"], {"gb": {"measured": 1}}))
        stored = Manifest.objects.get()
        for change in (
            lambda: Manifest.objects.update(events=5),
            lambda: stored.sums.update(measured=5),
            lambda: stored.sums.all()._raw_delete("default"),
            lambda: Manifest.objects.all()._raw_delete("default"),
        ):
            with pytest.raises(DatabaseError, match="keeps"), transaction.atomic():
                change()


@pytest.mark.django_db
class TestManyHoursAtOnce:
    def test_are_all_taken_and_each_answered(self, post: Post) -> None:
        report(Source.objects.get(), [opened(0.5, id="o"), measured(2.5, "1.5", id="m")])
        post(manifest(["wrong"], {"duration": {"opens": 1}}, 0))
        said = [
            manifest(["o"], {"duration": {"opens": 1}}, 0),
            manifest([], {}, 1),
            manifest(["m", "lost"], {"requests": {"measured": 2, "quantity": "3"}}, 2),
        ]
        first = post(said)
        assert first.status_code == 201 and first.json()["watermark"] == written(hour(2))
        results = [(one["outcome"], one["agrees"]) for one in first.json()["results"]]
        assert results == [("superseded", True), ("new", True), ("new", False)]
        again = post(said)
        assert again.status_code == 200 and {one["outcome"] for one in again.json()["results"]} == {"repeated"}
        assert Manifest.objects.count() == 4

    def test_or_none_is(self, post: Post) -> None:
        future = manifest([], {}) | {"hour": "2190-01-01T00:00:00Z"}
        for said in ([manifest([], {}), future], [manifest([], {})] * 2, [], [manifest([], {})] * 1001, [1]):
            assert post(said).status_code == 400
        assert not Manifest.objects.exists()


@pytest.mark.django_db
class TestGauges:
    def test_are_counted_with_what_was_measured(self, post: Post) -> None:
        one = Source.objects.get()
        report(one, [event("gauge", at, id=f"g{at}", meter="storage", quantity="2.5") for at in (0.2, 0.4)])
        said = manifest(["g0.2", "g0.4"], {"storage": {"measured": 2, "quantity": "5"}})
        assert post(said).json()["agrees"]
        hour_totals.fold()
        assert post(said).json()["agrees"]
        assert not post(said | {"meters": {"storage": {"measured": 2, "quantity": "4.5"}}}).json()["agrees"]


class TestWhatASenderKeeps:
    def test_states_any_hour_of_what_it_sent(self) -> None:
        hours = agreement.Hours()
        sent = [opened(0, id="a"), closed(0.9, id="b"), measured(0.1, "1.25", id="c"), opened(1, id="d")]
        sent.append(event("gauge", 0.2, id="e", meter="requests", quantity=2))
        for one in sent:
            hours.add(one)
        meters = {"duration": {"opens": 1, "closes": 1}, "requests": {"measured": 2, "quantity": "3.25"}}
        assert hours.stated(hour(0)) == agreement.read(manifest(["a", "b", "c", "e"], meters))
        assert agreement.read(agreement.as_json(hours.stated(hour(0)))) == hours.stated(hour(0))
        assert hours.stated(hour(5)) == agreement.read(manifest([], {}, 5))


@pytest.mark.django_db
class TestTotals:
    def span(self) -> Span:
        return Span(hour(0), hour(48))

    def received(self, one: Source) -> dict[tuple[datetime, str], tuple[Sums, str]]:
        found = hour_totals.received(self.span(), [one.pk])
        return {(row.hour, row.meter): (row.sums, agreement.written(row.hash)) for row in found}

    def test_folding_changes_nothing_and_adds_each_event_once(self) -> None:
        one = source()
        report(one, [opened(0.5), measured(0.7, "1.000000000001"), measured(0.8, "2")])
        before = self.received(one)
        assert before[hour(0), "requests"][0] == Sums(0, 0, 2, Decimal("3.000000000001"))
        hour_totals.fold()
        assert self.received(one) == before
        report(one, [closed(0.9), measured(0.95, "999999999999999999")])
        tail = self.received(one)
        hour_totals.fold()
        hour_totals.fold()
        assert self.received(one) == tail
        assert HourTotal.objects.count() == 2
        assert tail[hour(0), "duration"] == (
            Sums(1, 1, 0, Decimal(0)),
            agreement.rolling_hash(["open-r1-standard-1x-0.5", "close-r1-standard-1x-0.9"]),
        )

    @settings(max_examples=15, deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 47), st.booleans(), st.text("aé:9", min_size=1, max_size=9)), max_size=30))
    def test_however_it_is_cut_the_totals_are_those_of_the_events(self, sent: list[tuple[int, bool, str]]) -> None:
        one = Source.objects.first() or source()
        with transaction.atomic():
            for at, folds, name in sent:
                report(one, [measured(at + 0.5, "1.1", id=name)])
                if folds:
                    hour_totals.fold()
            held: dict[datetime, list[str]] = {}
            for kept in Event.objects.filter(source=one):
                held.setdefault(kept.time.replace(minute=0, second=0, microsecond=0), []).append(kept.event_id)
            assert {at: digest for (at, _), (_, digest) in self.received(one).items()} == {
                at: agreement.rolling_hash(ids) for at, ids in held.items()
            }
            transaction.set_rollback(True)

    def test_a_sweep_rings_only_when_they_are_behind(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(hour_totals, "NOTED", timedelta(0))
        later = datetime.now(UTC) + timedelta(minutes=5)
        assert not hour_totals.behind(later)
        report(source(), [opened(0)])
        assert hour_totals.behind(later)
        hour_totals.fold()
        assert not hour_totals.behind(later)
        assert HourFold.objects.count() == 1


def test_reading_is_total() -> None:
    assert (
        manifests.read(b'{"hour":"2026-10-01T00:00:00Z","events":0,"hash":"0000000000000000","meters":{}}')[0].events
        == 0
    )
