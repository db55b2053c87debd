"""Runs by API: from opening to closing by keys alone, each step once, and by whom the page would let."""

from typing import Any

import pytest

from accounts.models import Account
from billing import holding
from billing.models import Run, RunAccount
from core import clock
from core.audit import acting
from core.periods import Month
from tests.billing.api.conftest import KeyOf, call
from tests.factories import ACTOR, ADA, OCTOBER, account, build, ran, staff, use
from tests.factories import issue as issued

pytestmark = pytest.mark.django_db
MONTH = {"month": "2026-10"}
THIS_MONTH = Month.containing(clock.today())  # it is not over
WHY = {"reason": "The meter was reset twice"}


@pytest.fixture
def acme() -> Account:
    staff()
    made = account("acme")
    use(ran("a1", "standard-1x", OCTOBER.start, OCTOBER.end, "acme"))
    return made


@pytest.fixture
def run(acme: Account) -> Run:
    return build()


@pytest.fixture
def grace(key_of: KeyOf, acme: Account) -> str:
    """A key of finance that did not open the run."""
    return key_of("grace")


class TestOpen:
    def test_opens_once_and_then_names_the_run_of_the_month(self, key_of: KeyOf, acme: Account) -> None:
        key = key_of("omar")
        first = call("post", "/runs", key, MONTH)
        assert first.status_code == 201 and first.json()["state"] == "drafting"
        assert first.json()["opened_by"].startswith("key:") and first.json()["accounts"] == 1
        again = call("post", "/runs", key, MONTH)
        assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])

    def test_a_shadow_is_another_run_unless_the_key_repeats(self, key_of: KeyOf, run: Run) -> None:
        key, body = key_of("omar"), MONTH | {"shadow": True}
        answers = [call("post", "/runs", key, body, **{"Idempotency-Key": "s"}) for _ in range(2)]
        assert answers[0].json() == answers[1].json() and answers[0].json()["shadow"] is True
        call("post", "/runs", key, body)
        assert Run.objects.filter(shadow=True).count() == 2

    @pytest.mark.parametrize(
        ("body", "status", "field"),
        [({}, 400, "month"), ({"month": "soon"}, 400, "month"), (MONTH | {"shadow": "x"}, 400, "shadow"),
         (MONTH | {"shards": 2}, 400, "shards"), ({"month": str(THIS_MONTH)}, 409, None)],
    )  # fmt: skip
    def test_says_what_is_wrong(self, key_of: KeyOf, acme: Account, body: Any, status: int, field: str | None) -> None:
        answer = call("post", "/runs", key_of("omar"), body)
        assert (answer.status_code, Run.objects.exists()) == (status, False)
        assert field is None or field in str(answer.json()), answer.json()


class TestIssue:
    def test_a_second_person_approves_and_issues(self, key_of: KeyOf, run: Run, grace: str) -> None:
        answer = call("post", f"/runs/{run.pk}/approve", grace, {})
        assert answer.status_code == 200 and answer.json()["state"] == "approved"
        body, once = {"issue_date": "2026-11-02"}, {"Idempotency-Key": "i"}
        said = [call("post", f"/runs/{run.pk}/issue", grace, body, **once) for _ in range(2)]
        assert said[0].json() == said[1].json() and said[1].headers["Idempotency-Replayed"] == "true"
        assert (said[0].json()["state"], said[0].json()["issue_date"]) == ("issuing", "2026-11-02")

    def test_whoever_opened_it_does_not_approve_it_by_a_key_either(self, key_of: KeyOf, run: Run) -> None:
        answer = call("post", f"/runs/{run.pk}/approve", key_of("ada"), "")
        assert (answer.status_code, answer.json()["code"]) == (403, "refused")
        run.refresh_from_db()
        assert run.state == "review"

    def test_is_not_issued_before_it_is_approved_or_without_a_day(self, run: Run, grace: str) -> None:
        answer = call("post", f"/runs/{run.pk}/issue", grace, {"issue_date": "2026-11-02"})
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
        assert call("post", f"/runs/{run.pk}/issue", grace, {}).json()["errors"][0]["field"] == "issue_date"

    def test_is_closed_without_what_is_held(self, run: Run, grace: str, acme: Account) -> None:
        globex = account("globex")
        use(ran("g1", "standard-1x", OCTOBER.start, OCTOBER.end, "globex"))
        assert call("post", f"/runs/{run.pk}/close", grace, WHY).status_code == 409
        holding.hold(run.pk, acme.pk, actor=ADA, **WHY)
        issued(run)
        assert call("post", f"/runs/{run.pk}/close", grace, WHY).json()["state"] == "closed"
        assert not RunAccount.objects.filter(account=globex).exists()


class TestHold:
    def test_holds_and_releases_one_account(self, key_of: KeyOf, run: Run) -> None:
        key, path = key_of("omar"), f"/runs/{run.pk}/accounts/acme"
        said = [call("post", f"{path}/hold", key, WHY, **{"Idempotency-Key": "h"}).json() for _ in range(2)]
        assert said[0] == said[1] and (said[0]["outcome"], said[0]["reason"]) == ("held", WHY["reason"])
        assert said[0]["invoice_id"] and said[0]["invoice"] is None
        assert call("post", f"{path}/release", key, WHY).json()["outcome"] == "drafted"
        assert call("post", f"{path}/release", key, WHY).status_code == 409

    def test_drafts_a_held_account_anew(self, key_of: KeyOf, run: Run) -> None:
        key, path = key_of("omar"), f"/runs/{run.pk}/accounts/acme"
        call("post", f"{path}/hold", key, WHY)
        assert call("post", f"{path}/retry", key, WHY).json()["outcome"] == "pending"
        assert call("get", f"/runs/{run.pk}", key).json()["state"] == "drafting"

    def test_retries_what_failed(self, key_of: KeyOf, run: Run) -> None:
        with acting(ACTOR):
            RunAccount.objects.filter(run=run).update(outcome="failed", reason="no price")
        said = call("post", f"/runs/{run.pk}/retry", key_of("omar"), {}).json()
        assert (said["state"], said["outcomes"]["pending"]) == ("drafting", 1)

    @pytest.mark.parametrize("action", ["hold", "release", "retry"])
    @pytest.mark.parametrize("where", ["/runs/{}/accounts/nobody", "/runs/4711/accounts/acme", "/runs/{}/accounts/a b"])
    def test_what_is_not_there_is_a_404(self, key_of: KeyOf, run: Run, where: str, action: str) -> None:
        assert call("post", f"{where.format(run.pk)}/{action}", key_of("omar"), WHY).status_code == 404

    @pytest.mark.parametrize("action", ["cancel", "close", "accounts/acme/hold", "accounts/acme/release"])
    def test_takes_a_reason(self, run: Run, grace: str, action: str) -> None:
        answer = call("post", f"/runs/{run.pk}/{action}", grace, {"reason": " "})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "reason")


def test_cancels_and_opens_the_month_again(key_of: KeyOf, run: Run) -> None:
    key = key_of("omar")
    assert call("post", f"/runs/{run.pk}/cancel", key, WHY).json()["state"] == "cancelled"
    assert call("post", "/runs", key, MONTH).status_code == 201


@pytest.mark.parametrize("action", ["approve", "issue", "retry", "close", "cancel", "accounts/acme/hold"])
def test_takes_the_scope_and_a_role_that_may(key_of: KeyOf, run: Run, acme: Account, action: str) -> None:
    for key in (key_of("iris"), key_of("sam"), key_of(acme), key_of("ada", ["runs:read"])):
        answer = call("post", f"/runs/{run.pk}/{action}", key, WHY | {"issue_date": "2026-11-02"})
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    run.refresh_from_db()
    assert run.state == "review" and run.opened_by == ADA
