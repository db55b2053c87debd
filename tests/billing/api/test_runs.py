"""Runs by API: for staff only, with a roster that adds up."""

import pytest

from accounts.models import Account
from billing.models import Run
from tests.billing.api.conftest import KeyOf, call
from tests.factories import OCTOBER, account, build, close, ran, staff, use

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> Run:
    staff()
    for code in ("acme", "globex"):
        account(code)
    account("kaiju", currency="JPY")
    use(ran("a1", "standard-1x", OCTOBER.start, OCTOBER.end, "acme"))
    use(ran("k1", "standard-1x", OCTOBER.start, OCTOBER.end, "kaiju"))
    return build()


def test_lists_and_narrows(key_of: KeyOf, run: Run) -> None:
    build(shadow=True)
    key = key_of("iris")
    said = call("get", "/runs", key).json()["results"]
    assert [row["shadow"] for row in said] == [True, False]
    assert [r["id"] for r in call("get", "/runs?shadow=false&state=review", key).json()["results"]] == [run.pk]
    assert call("get", "/runs?month=2026-09", key).json()["results"] == []


def test_one_adds_up(key_of: KeyOf, run: Run) -> None:
    said = call("get", f"/runs/{run.pk}", key_of("omar")).json()
    assert (said["month"], said["accounts"], sum(said["outcomes"].values())) == ("2026-10", 3, 3)
    assert said["outcomes"]["drafted"] == 2 and said["outcomes"]["zero"] == 1
    assert said["amounts"] == [
        {"currency": "JPY", "invoices": 1, "total": "3750"},
        {"currency": "USD", "invoices": 1, "total": "25.00"},
    ]


def test_the_roster_says_how_each_account_ended(key_of: KeyOf, run: Run) -> None:
    key = key_of("ada")
    said = {row["account"]: row for row in call("get", f"/runs/{run.pk}/roster", key).json()["results"]}
    assert said["acme"]["outcome"] == "drafted" and said["acme"]["total"] == "25.00"
    assert said["globex"]["total"] is None and said["kaiju"]["total"] == "3750"
    zero = call("get", f"/runs/{run.pk}/roster?outcome=zero", key).json()["results"]
    assert [row["account"] for row in zero] == ["globex"]


def test_names_the_numbers_once_issued(key_of: KeyOf) -> None:
    staff()
    account("acme")
    use(ran("a1", "standard-1x", OCTOBER.start, OCTOBER.end, "acme"))
    run = close()
    (row,) = call("get", f"/runs/{run.pk}/roster", key_of("ada")).json()["results"]
    assert row["outcome"] == "issued" and row["invoice"].endswith("-2026-000001")


@pytest.mark.parametrize(
    "path", ["/runs?month=soon", "/runs?state=x", "/runs?shadow=maybe", "/runs/{}/roster?outcome=x"]
)
def test_says_what_is_wrong(key_of: KeyOf, run: Run, path: str) -> None:
    answer = call("get", path.format(run.pk), key_of("ada"))
    assert answer.status_code == 400 and answer.json()["field"]


def test_what_does_not_exist_is_a_404(key_of: KeyOf, run: Run) -> None:
    key = key_of("ada")
    for path in ("/runs/4711", "/runs/4711/roster"):
        assert call("get", path, key).json()["code"] == "not_found"


def test_is_for_staff_whose_role_sees_runs(key_of: KeyOf, run: Run) -> None:
    own = key_of(Account.objects.get(code="acme"))
    for path in ("/runs", f"/runs/{run.pk}", f"/runs/{run.pk}/roster"):
        for key in (own, key_of("sam"), key_of("ada", ["invoices:read"])):
            assert call("get", path, key).status_code == 403
        assert call("get", path, "").status_code == 401
