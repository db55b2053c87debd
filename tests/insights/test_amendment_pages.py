"""The pages of corrections: choose, mend, look at the money, record, read, take back."""

from typing import Any

import pytest
from django.test import Client

from billing.models import InvoiceLine
from tests import factories
from tests.factories import OCTOBER, account, ran, use
from tests.usage.factories import hour
from tests.usage.test_pages import signed_in, text
from usage import amended, amending
from usage.models import Amendment
from usage.reported import ReportedEvent

pytestmark = pytest.mark.django_db
NEW = "/usage/amendments/new/"
WINDOW = {"resource": "w", "start": "2026-10-31 23:00", "end": "2026-11-01 01:00", "meter": ""}
OLGA = "user:operator@example.com"


@pytest.fixture
def olga(db: None) -> Client:
    account("acme")
    use(ran("w", "standard-1x", OCTOBER.start, OCTOBER.end, "acme"))
    factories.close(OCTOBER)
    return signed_in("operator")


def entered(*rows: dict[str, str], step: str = "preview", **more: str) -> dict[str, str]:
    data = WINDOW | {"step": step, "events-TOTAL_FORMS": str(len(rows)), "events-INITIAL_FORMS": "0"} | more
    return data | {f"events-{i}-{name}": value for i, row in enumerate(rows) for name, value in row.items()}


CLOSE = {"type": "close", "time": "2026-10-31 23:30:00", "product": "standard-1x", "meter": "duration", "app": ""}


class TestAmending:
    def test_begins_with_a_window_of_a_day(self, olga: Client) -> None:
        shown = text(olga.get(f"{NEW}?resource=w"))
        assert "Step 1 of 3" in shown and 'value="w"' in shown

    def test_shows_what_was_told_as_a_table(self, olga: Client) -> None:
        answer = olga.get(NEW, WINDOW)
        assert "Step 2 of 3" in text(answer)
        rows = answer.context["rows"].forms
        assert [row["type"].value() for row in rows if row["type"].value()] == ["close"]
        assert rows[0]["time"].value() == "2026-11-01 00:00:00"
        more = olga.post(NEW, entered(CLOSE, step="more"))
        assert len(more.context["rows"].forms) == 6 and not Amendment.objects.exists()

    @pytest.mark.parametrize(
        ("window", "said"),
        [
            ({"start": "whenever"}, "times are UTC"),
            ({"end": "2026-10-31 22:00"}, "ends after it begins"),
            ({"resource": ""}, "required"),
        ],
    )
    def test_says_what_is_wrong_with_the_window(self, olga: Client, window: dict[str, str], said: str) -> None:
        assert said in text(olga.get(NEW, WINDOW | window))

    @pytest.mark.parametrize(
        ("window", "said"),
        [
            ({"resource": "nobody.1"}, "Nothing was ever reported of nobody.1"),
            ({"end": "2150-01-01 00:00"}, "Correct at most 366 days"),
        ],
    )
    def test_what_only_the_first_step_can_mend_leads_back_to_it(
        self, olga: Client, window: dict[str, str], said: str
    ) -> None:
        answer = olga.post(NEW, entered({"type": ""}) | window)
        assert answer.status_code == 200
        assert "Step 1 of 3" in text(answer) and said in text(answer)

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            ({"time": ""}, "Needed."),
            ({"time": "2026-10-01 00:00:00"}, "lies outside"),
            ({"product": "gold"}, "price list"),
            ({"type": "measured", "quantity": "many", "meter": "requests"}, "quantity must"),
        ],
    )
    def test_says_what_is_wrong_in_its_row(self, olga: Client, row: dict[str, str], said: str) -> None:
        answer = olga.post(NEW, entered(CLOSE | row))
        assert "Step 2 of 3" in text(answer) and said in text(answer)
        assert answer.context["rows"].forms[0].errors

    def test_shows_the_money_and_records_just_that(self, olga: Client) -> None:
        shown = olga.post(NEW, entered(CLOSE, {"type": ""}))
        assert "Step 3 of 3" in text(shown) and "-0.02" in text(shown) and not Amendment.objects.exists()
        token = shown.context["moved"].token
        again = olga.post(NEW, entered(CLOSE, step="record", token=token, reason=""))
        assert "required" in text(again) and not Amendment.objects.exists()
        moved = olga.post(NEW, entered(CLOSE | {"time": "2026-10-31 23:10:00"}, step="record", token=token, reason="x"))
        assert "has changed since it was shown" in text(moved) and not Amendment.objects.exists()
        done = olga.post(NEW, entered(CLOSE, step="record", token=token, reason="Its close came late"))
        one = Amendment.objects.get()
        assert done["Location"] == f"/usage/amendments/{one.pk}/" and one.recorded_by == OLGA

    def test_of_nothing_says_that_nothing_happened(self, olga: Client) -> None:
        shown = text(olga.post(NEW, entered(CLOSE | {"drop": "on"})))
        assert "Nothing will have happened" in shown and "Step 3 of 3" in shown

    def test_is_for_operators(self, olga: Client) -> None:
        assert signed_in("auditor").get(NEW).status_code == 403


@pytest.fixture
def one(olga: Client) -> Amendment:
    said = ReportedEvent(0, "x", "close", hour(372), "w", "standard-1x", "duration", "", "", "", None)
    return amending.amend("w", hour(372), hour(745), [said], reason="It stopped in the middle", actor=OLGA)


class TestOne:
    def test_shows_both_sides_and_the_money(self, olga: Client, one: Amendment) -> None:
        factories.build(OCTOBER.next, shadow=True)
        answer: Any = olga.get(f"/usage/amendments/{one.pk}/")
        shown = text(answer)
        assert "It stopped in the middle" in shown and "Put aside" in shown and "-12.50" in shown
        assert [event.counts for event in answer.context["gave_way"]] == [False]
        assert [event.counts for event in answer.context["instead"]] == [True]

    def test_is_found_from_the_invoice_that_adjusts(self, olga: Client, one: Amendment) -> None:
        made = factories.build(OCTOBER.next, shadow=True)
        InvoiceLine.objects.filter(invoice__run=made, kind="adjustment").update()
        line = InvoiceLine.objects.get(invoice__run=made, kind="adjustment")
        assert f"Amendment {one.pk}: It stopped in the middle." in line.reason

    def test_is_taken_back_as_shown(self, olga: Client, one: Amendment) -> None:
        page = f"/usage/amendments/{one.pk}/revert/"
        shown: Any = olga.get(page)
        assert "12.50" in text(shown)
        assert "required" in text(olga.post(page, {"token": shown.context["moved"].token, "reason": ""}))
        olga.post(page, {"token": shown.context["moved"].token, "reason": "it had not"})
        one.refresh_from_db()
        assert one.revert_reason == "it had not"
        assert all(event.counts == (event.amendment is None) for event in amended.told("w", hour(372), hour(745)))
        assert olga.get(page).status_code == 302

    def test_that_does_not_exist_is_not_found(self, olga: Client) -> None:
        assert olga.get("/usage/amendments/999/").status_code == 404


def test_the_list_filters_and_exports(olga: Client, one: Amendment) -> None:
    for asked, there in (("", True), ("?resource=v", False), ("?state=reverted", False), ("?by=operator", True),
                         ("?since=2100-01-01", False), ("?until=2100-01-01", True)):  # fmt: skip
        assert ("It stopped in the middle" in text(olga.get(f"/usage/amendments/{asked}"))) == there, asked
    csv = b"".join(signed_in("finance").get("/usage/amendments/export.csv").streaming_content).decode()
    assert "It stopped in the middle" in csv
