"""An event's page tells all of it: what was said, what it became, whose it was, what corrected it, what billed it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from core.errors import NotFound
from insights import event_story
from tests import factories
from tests.usage.factories import closed, hour, measured, opened, report, settled, source
from tests.usage.test_archiving import BY, EVENTS, MONTH
from tests.usage.test_pages import signed_in, text
from usage import amending, archiving
from usage.addresses import event_url

pytestmark = pytest.mark.django_db
ODD = 'a/b c?#"<é>/'


@pytest.fixture
def october() -> None:
    """A closed month of acme: a dyno that ran for ten hours, and an open that makes no interval."""
    factories.account("acme")
    settled(source("dynos"), [
        opened(0, id="open", account="acme", app="shop"), closed(10, id="close"),
        opened(1, id=ODD), opened(20, "nobody's", id="unowned"),
    ])  # fmt: skip


@pytest.mark.usefixtures("october")
class TestStory:
    def test_leads_from_an_event_to_the_line_that_billed_it(self) -> None:
        factories.close(despite="a test")
        for name in ("open", "close"):
            story = event_story.tell("dynos", name)
            assert story.ownership is not None and story.ownership.account == "acme"
            assert [(i.opened, i.closed) for i in story.intervals] == [(hour(0), hour(10))]
            assert [line.product for line in story.lines] == ["standard-1x"] and story.standing == ("billed", "good")

    def test_says_what_was_said_and_nothing_else(self) -> None:
        report(source("router"), [measured(1, "1.500", "m", id="m", component="web")])
        assert event_story.tell("router", "m").said == {
            "id": "m", "time": "2026-10-01T01:00:00Z", "type": "measured", "resource": "m", "product": "requests",
            "component": "web", "meter": "requests", "quantity": "1.5",
        }  # fmt: skip
        assert event_story.tell("dynos", "close").said.keys() == {"id", "time", "type", "resource", "product"}

    def test_says_why_an_event_makes_nothing(self) -> None:
        assert event_story.tell("dynos", ODD).standing == ("Opened while open", "warn")
        assert event_story.tell("dynos", "unowned").ownership is None

    def test_shows_the_correction_that_put_it_aside(self) -> None:
        amendment = amending.amend("r1", hour(9), hour(11), [], reason="too long", actor=BY)
        story = event_story.tell("dynos", "close")
        assert story.aside == amendment and story.standing[0] == "put aside"
        amending.revert(amendment.pk, reason="it was right", actor=BY)
        story = event_story.tell("dynos", "close")
        assert story.aside is None and story.amendments == [amendment]

    @pytest.mark.parametrize(("name", "event_id"), [("dynos", "none"), ("none", "open")])
    def test_of_nothing_is_not_found(self, name: str, event_id: str) -> None:
        with pytest.raises(NotFound):
            event_story.tell(name, event_id)


@pytest.mark.usefixtures("october")
class TestPage:
    def test_shows_it_whatever_its_name(self) -> None:
        olga = signed_in("operator")
        shown = olga.get(event_url("dynos", ODD))
        assert shown.status_code == 200 and "Opened while open" in text(shown) and "&lt;é&gt;" in text(shown)
        assert "Whose it was" in text(olga.get(event_url("dynos", "open")))
        assert olga.get(event_url("dynos", "none")).status_code == 404
        assert Client().get(event_url("dynos", "open")).status_code == 302

    def test_is_reached_from_the_list(self) -> None:
        assert event_url("dynos", ODD) in text(signed_in("operator").get("/usage/events/"))


def test_an_archived_event_is_told_from_its_file() -> None:
    settled(source("dynos"), EVENTS)
    archiving.archive(MONTH, by=BY)
    story = event_story.tell("dynos", "measured-m1-2024-09-07T10:00:00.123456Z")
    assert (story.archived, story.event.quantity) == (MONTH, Decimal(7))
    assert story.event.time == MONTH.start + timedelta(days=6, hours=10, microseconds=123456)
    olga = signed_in("operator")
    assert "read_archive 2024-09" in text(olga.get(story.event.url))
    assert "read_archive 2024-09" in text(olga.get("/usage/events/"))
