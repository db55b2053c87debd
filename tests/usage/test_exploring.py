"""The explorer finds exactly the events that match, whichever way it takes, page by page in both directions."""

import json
import random
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Invalid
from tests.usage.factories import closed, event, hour, measured, opened, report, settled, source, written
from tests.usage.test_pages import signed_in
from usage import busy_time, exploring, hour_totals, places, searching
from usage.models import Event, Ownership
from usage.places import NEWER, OLDER, Place


@pytest.fixture
def olga(db: None) -> Client:
    return signed_in("operator")


def ids(found: list[Event]) -> list[str]:
    return [event.event_id for event in found]


def walk(asked: dict[str, str], size: int, *, back: bool = False) -> list[str]:
    """Read every page, from the newest to the oldest; or, with ``back``, from the oldest to the newest again."""
    question = exploring.question(asked)
    pages = [exploring.page(question, size=size)]
    while pages[-1].older:
        pages.append(exploring.page(question, cursor=pages[-1].older, size=size))
    if not back:
        return [key for page in pages for key in ids(page.events)]
    last = [page for page in pages if page.events][-1:]
    while last and last[-1].newer:
        last.append(exploring.page(question, cursor=last[-1].newer, size=size))
    return [key for page in reversed(last) for key in ids(page.events)]


@pytest.fixture(scope="class")
def year(django_db_setup: None, django_db_blocker: Any) -> Any:
    """Events of two sources over several months with a gap of years, many at one instant, folded in part."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        chance = random.Random(7)
        one, two = source("dynos"), source("addons")
        said: dict[str, list[dict[str, Any]]] = {"dynos": [], "addons": []}
        for n in range(400):
            at = chance.choice([0, 0, 1.5, 700, 30_000, *range(0, 2000, 130)]) + chance.choice([0, 0, 0.25])
            name = chance.choice(list(said))
            named = {"resource": f"r{n % 7}", "product": f"p{n % 3}", "id": f"{name}-{n % 350}"}
            if n % 5 == 0:
                said[name].append(measured(at, "1.5", **named, app=f"a{n % 2}" if n % 2 else ""))
            else:
                said[name].append(event("open" if n % 5 < 3 else "close", at, **named, account=f"acme{n % 7 % 3}"))
        report(one, said["dynos"])
        settled(two, said["addons"])
        hour_totals.fold()
        settled(one, [opened(5, "late", account="acme1", app="a9"), closed(6, "late")])
        yield None
        transaction.set_rollback(True)


def matches(event: Event, asked: dict[str, str]) -> bool:
    """The meaning of a question, told plainly: one event at a time, without a plan."""
    owner = Ownership.objects.filter(resource=event.resource, start__lte=event.time, superseded_at=None)
    owner = owner.exclude(end__lte=event.time)
    plain = {"resource", "product", "type", "event_id"} & {name for name, value in asked.items() if value}
    if any(getattr(event, name) != asked[name] for name in plain):
        return False
    if asked.get("source") and event.source.name != asked["source"]:
        return False
    return not asked.get("account") or owner.filter(account=asked["account"]).exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("year")
class TestEveryWay:
    @settings(max_examples=60, deadline=None)
    @given(data=st.data())
    def test_finds_what_matches_and_nothing_else(self, data: st.DataObject) -> None:
        draw = data.draw
        asked = {
            "resource": draw(st.sampled_from(["", "", "r1", "r4", "none"])),
            "product": draw(st.sampled_from(["", "", "p1"])),
            "account": draw(st.sampled_from(["", "", "acme1", "acme2"])),
            "source": draw(st.sampled_from(["", "", "dynos", "addons", "none"])),
            "type": draw(st.sampled_from(["", "", "measured", "close"])),
            "event_id": draw(st.sampled_from(["", "", "", "dynos-12", "addons-7"])),
        }
        size = draw(st.integers(1, 60))
        everything = Event.objects.select_related("source").order_by("-time", "-id")
        expected = [event.event_id for event in everything if matches(event, asked)]
        assert walk(asked, size) == expected
        assert walk(asked, size, back=True) == expected

    @pytest.mark.parametrize("edges", [(0, 0.25), (0, 1.5), (1, 701), (-5, 0), (29_999, 40_000)])
    def test_ends_are_half_open(self, edges: tuple[float, float]) -> None:
        first, last = map(hour, edges)
        asked = {"from": written(first), "to": written(last)}
        expected = Event.objects.filter(time__gte=first, time__lt=last).order_by("-time", "-id")
        assert walk(asked, 3) == ids(list(expected)) == walk(asked, 3, back=True)

    def test_an_app_has_the_events_of_its_resources(self) -> None:
        assert walk({"app": "a9"}, 1) == ["close-late-standard-1x-6", "open-late-standard-1x-5"]
        assert walk({"app": "a9", "type": "close"}, 1) == ["close-late-standard-1x-6"]

    def test_an_app_that_owns_nothing_has_the_events_that_name_it(self) -> None:
        assert set(walk({"app": "a1"}, 7)) == set(Event.objects.filter(app="a1").values_list("event_id", flat=True))

    def test_reads_no_more_than_it_may(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(searching, "MOST_READ", 30)
        monkeypatch.setattr(busy_time, "SMALLEST", 10)
        first = exploring.page(exploring.question({"product": "none"}), size=50)
        assert first.events == [] and first.reached is not None and first.older
        assert walk({"product": "p2"}, 50) == ids(list(Event.objects.filter(product="p2").order_by("-time", "-id")))
        assert walk({"product": "p2"}, 50, back=True)[:1] == walk({"product": "p2"}, 50)[:1]

    def test_cuts_a_busy_hour_in_pieces(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(busy_time, "LARGEST", 7)
        monkeypatch.setattr(searching, "MOST_READ", 10_000)
        assert walk({}, 60) == ids(list(Event.objects.order_by("-time", "-id")))

    def test_exports_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert ids(list(exploring.export(exploring.question({"resource": "r1"})))) == walk({"resource": "r1"}, 50)
        monkeypatch.setattr(exploring, "MOST_EXPORTED", 10)
        monkeypatch.setattr(exploring, "EXPORT_PAGE", 4)
        assert len(list(exploring.export(exploring.question({})))) == 11


class TestPlaces:
    @given(st.sampled_from([OLDER, NEWER]), st.integers(-(10**15), 10**15), st.integers(0, 2**63 - 1))
    def test_are_read_as_they_were_written(self, direction: str, micro: int, row: int) -> None:
        place = Place(direction, places.EPOCH + timedelta(microseconds=micro), row)
        assert places.read(str(place)) == place

    @pytest.mark.parametrize(
        "text", ["x", "older", "older.1", "older.9999999999999999999.1", "older.1.99999999999999999999"]
    )
    def test_of_others_are_refused(self, text: str) -> None:
        with pytest.raises(Invalid) as refused:
            places.read(text)
        assert refused.value.field == "cursor"


@pytest.mark.django_db
class TestPage:
    def test_goes_on_where_a_page_ended_and_back(self, olga: Client) -> None:
        report(source("dynos"), [opened(n, f"r{n:03}") for n in range(120)])
        seen: list[str] = []
        cursor = ""
        while True:
            page = olga.get("/usage/events/", {"cursor": cursor}).context["page"]
            seen += ids(page.events)
            if not page.older:
                break
            cursor = page.older
        assert seen == [f"open-r{n:03}-standard-1x-{n}" for n in reversed(range(120))]
        back = olga.get("/usage/events/", {"cursor": page.newer}).context["page"]
        assert ids(back.events) == seen[50:100] and back.newer and back.older

    @pytest.mark.parametrize(
        ("asked", "count"),
        [
            ("resource=r001", 1),
            ("since=2026-10-02", 0),
            ("until=2026-10-01", 5),
            ("until=2026-09-30", 0),
            ("type=close", 0),
            ("event_id=open-r003-standard-1x-3", 1),
            ("product=standard-1x&source=dynos", 5),
        ],
    )
    def test_filters(self, olga: Client, asked: str, count: int) -> None:
        report(source("dynos"), [opened(n, f"r{n:03}") for n in range(5)])
        assert len(olga.get(f"/usage/events/?{asked}").context["page"].events) == count

    @pytest.mark.parametrize(
        "asked", ["cursor=x", "cursor=older.-1.-1", "cursor=" + "9" * 30, "resource=%00", "type=x"]
    )
    def test_nonsense_is_a_sentence(self, olga: Client, asked: str) -> None:
        assert olga.get(f"/usage/events/?{asked}").status_code in (200, 400)

    def test_is_exported_as_it_is_filtered(self, olga: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        assert olga.get("/usage/events/export.csv").status_code == 403
        olga = signed_in("auditor")
        report(source("dynos"), [measured(1, "1.500000000001", "=r1"), opened(0, "r2")])
        rows = b"".join(olga.get("/usage/events/export.csv?type=measured")).decode().splitlines()
        assert rows[0].startswith("id,source,type,time,resource") and len(rows) == 2
        assert "'=r1" in rows[1] and "1.500000000001" in rows[1]
        lines = b"".join(olga.get("/usage/events/export.ndjson")).decode().splitlines()
        assert [json.loads(line)["quantity"] for line in lines] == ["1.500000000001", None]
        monkeypatch.setattr(exploring, "MOST_EXPORTED", 1)
        assert "Only the newest 1 events" in b"".join(olga.get("/usage/events/export.csv")).decode()
        assert b"cut_short" in b"".join(olga.get("/usage/events/export.ndjson"))
