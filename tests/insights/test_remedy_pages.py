"""Usage problems as a page: grouped by cause, many chosen, a remedy shown with its money, and taken back as one."""

from typing import Any

import pytest
from django.test import Client

from tests.factories import OCTOBER, account, ran, use
from tests.usage.factories import closed, hour, settled
from tests.usage.test_pages import signed_in, text
from usage.models import Amendment, Interval, PairingProblem, Source

pytestmark = pytest.mark.django_db
REMEDY = "/usage/problems/remedy/"


@pytest.fixture
def olga(db: None) -> Client:
    account("acme")
    for name in ("a", "b", "c"):
        use(ran(name, "standard-1x", OCTOBER.previous.previous.start, None, "acme"))
    settled(Source.objects.get(), [closed(5, "lost"), closed(6, "gone")])
    return signed_in("operator")


def keys(olga: Client, tab: str) -> list[str]:
    return [doubt.key for doubt in olga.get("/usage/problems/", {"tab": tab}).context["table"].data]


class TestTheLists:
    def test_are_grouped_by_cause_and_narrowed_to_one(self, olga: Client) -> None:
        shown: Any = olga.get("/usage/problems/?tab=open")
        assert [(code, count) for code, _, count, _ in shown.context["part"].groups] == [("runs", 3)]
        assert "Probably right" in text(shown)
        assert len(olga.get("/usage/problems/?tab=open&cause=disowned").context["table"].rows) == 0
        assert "An open was lost" in text(olga.get("/usage/problems/?tab=pairing"))
        assert olga.get("/usage/problems/?tab=long").status_code == 200

    def test_offer_nothing_to_whoever_may_not(self, olga: Client) -> None:
        shown = text(signed_in("auditor").get("/usage/problems/?tab=open"))
        assert 'name="key"' not in shown and "Remedy" not in shown


class TestARemedy:
    def test_is_shown_with_its_money_recorded_and_taken_back_as_one(self, olga: Client) -> None:
        asked = {"tab": "open", "key": keys(olga, "open")[:2], "remedy": "close_at", "at": "2026-10-16 12:00"}
        shown: Any = olga.post(REMEDY, asked)
        assert "Record the remedy" in text(shown) and not Amendment.objects.exists()
        october = [m for m in shown.context["moved"].movements if str(m.month) == "2026-10"]
        assert [(m.before, m.after) for m in october] == [(75, 50)], (
            "one line of three dynos, two of them for half a month"
        )
        token = shown.context["moved"].token
        assert "required" in text(olga.post(REMEDY, asked | {"record": "1", "token": token, "reason": ""}))
        done = olga.post(REMEDY, asked | {"record": "1", "token": token, "reason": "told by the platform"})
        assert done.status_code == 302 and Amendment.objects.values("batch").distinct().count() == 1
        assert Interval.objects.filter(superseded_at=None, closed=hour(372)).count() == 2
        one = Amendment.objects.first()
        assert one is not None
        page = f"/usage/amendments/{one.pk}/revert/?batch=1"
        back: Any = olga.get(page)
        assert "2 amendments" in text(back)
        olga.post(page, {"token": back.context["moved"].token, "reason": "they run"})
        assert not Amendment.objects.filter(reverted_at=None).exists()
        assert Interval.objects.filter(superseded_at=None, closed=None).count() == 3

    def test_of_all_of_a_list_is_what_was_shown(self, olga: Client) -> None:
        shown: Any = olga.post(REMEDY, {"tab": "pairing", "all": "1", "remedy": "drop", "cause": "open_lost"})
        found = [doubt.key for doubt in shown.context["plan"].remedied]
        assert len(found) == 2
        olga.post(REMEDY, {"tab": "pairing", "key": found, "remedy": "drop", "record": "1", "reason": "lost",
                           "token": shown.context["moved"].token})  # fmt: skip
        assert not PairingProblem.objects.exists() and Amendment.objects.count() == 2

    @pytest.mark.parametrize(
        ("asked", "said"),
        [
            ({"key": []}, "Choose at least one"),
            ({"remedy": "pray"}, "valid choice"),
            ({"at": ""}, "needs a time"),
            ({"at": "soon"}, "times are UTC"),
            ({"remedy": "drop"}, "not for its kind"),
            ({"at": "2100-01-01"}, "still to come"),
        ],
    )
    def test_that_cannot_be_says_why(self, olga: Client, asked: dict[str, Any], said: str) -> None:
        whole = {"tab": "open", "key": keys(olga, "open"), "remedy": "close_at", "at": "2026-10-16"} | asked
        assert said in text(olga.post(REMEDY, whole, follow=True))
        assert not Amendment.objects.exists()
