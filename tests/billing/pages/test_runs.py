"""Runs on pages: how they stand, what they come to, what moved, and what people do with them."""

import csv
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import Account
from billing import drafting, issuing, reviewing, running
from billing.models import Outcome, Run, RunShard, RunState
from billing.reviewing import beside_month_before, movers, summaries
from core import audit, clock, leases
from core.periods import Month
from tests import factories
from tests.billing.pages.conftest import As, text_of
from tests.factories import OCTOBER, account, build, close, ending, ran, use

pytestmark = pytest.mark.django_db
SEPTEMBER = OCTOBER.previous
HALF = OCTOBER.start + timedelta(days=15, hours=12)


@pytest.fixture
def platform(as_: As) -> None:
    """Acme grew, Globex went, Initech came, Hooli uses what nobody sells, Umbrella does nothing."""
    for code in ("acme", "globex", "initech", "hooli", "umbrella"):
        account(code)
    use(ran("a1", "standard-1x", SEPTEMBER.start, OCTOBER.end, "acme"))
    use(ran("a2", "performance-m", OCTOBER.start, HALF, "acme"))
    use(ran("g1", "performance-l", SEPTEMBER.start, SEPTEMBER.end, "globex"))
    use(ran("i1", "standard-2x", OCTOBER.start, OCTOBER.end, "initech"))
    use(ran("h1", "quantum-1x", OCTOBER.start, OCTOBER.end, "hooli"))


def issued(run: Run) -> Run:
    issuing.issue_waiting()
    run.refresh_from_db()
    return run


class TestReviewing:
    def test_adds_up_by_outcome_and_currency(self, platform: None) -> None:
        run = build()
        summary = summaries([run])[run.pk]
        assert summary.accounts == 5 == sum(summary.outcomes.values())
        assert [(a.currency, a.invoices, a.total) for a in summary.amounts] == [("USD", 2, Decimal("200.00"))]

    def test_stands_beside_the_month_before(self, platform: None) -> None:
        close(SEPTEMBER)
        (usd,) = beside_month_before(build())
        assert (usd.invoices, usd.total, usd.invoices_before, usd.total_before) == (2, 200, 2, 525)
        assert usd.change == -325 and usd.ratio == Decimal(-325) / 525

    def test_sorts_what_moved_by_money_and_says_how(self, platform: None) -> None:
        close(SEPTEMBER)
        found = [(m.account, m.kind, m.amount, m.before) for m in movers(build())]
        assert found == [("globex", "gone", 0, 500), ("acme", "up", 150, 25), ("initech", "new", 50, 0)]

    def test_a_held_account_has_not_gone(self, platform: None) -> None:
        close(SEPTEMBER)
        use(ran("g2", "quantum-1x", OCTOBER.start, OCTOBER.end, "globex"))
        assert {m.account: m.kind for m in movers(build())}["globex"] == "held"


class TestList:
    def test_says_how_to_begin(self, as_: As) -> None:
        assert "No month was closed yet" in text_of(as_("ada").get("/runs/"))
        assert "Open a run" not in text_of(as_("iris").get("/runs/"))

    def test_shows_every_run_and_filters(self, as_: As, platform: None) -> None:
        build(shadow=True)
        build()
        client = as_("ada")
        page = text_of(client.get("/runs/"))
        assert "2 runs" in page and page.count("October 2026") == 2 and "200.00" in page
        assert "1 run" in text_of(client.get("/runs/?kind=shadow"))
        assert "No run is like that" in text_of(client.get("/runs/?state=closed"))
        assert "2 runs" in text_of(client.get("/runs/?month=2026-10"))

    @pytest.mark.parametrize("query", ["page=99", "month=nonsense", "state=nonsense", "sort=-nonsense"])
    def test_survives_any_address(self, as_: As, platform: None, query: str) -> None:
        build()
        assert as_("ada").get(f"/runs/?{query}").status_code == 200

    @pytest.mark.parametrize("name", ["sam"])
    def test_is_not_for_everybody(self, as_: As, name: str) -> None:
        assert as_(name).get("/runs/").status_code == 403

    def test_costs_the_same_number_of_queries_however_many_runs(
        self, as_: As, platform: None, django_assert_max_num_queries: object
    ) -> None:
        for _ in range(4):
            build(shadow=True)
        client = as_("ada")
        with django_assert_max_num_queries(12):  # type: ignore[operator]
            client.get("/runs/")


class TestOpen:
    def test_says_beforehand_what_it_will_meet(self, as_: As, platform: None) -> None:
        page = text_of(as_("ada").get("/runs/open/?month=2026-10"))
        assert "The month is over" in page and "5 accounts will be on the roster" in page
        assert "Not heard since the month ended" not in page and "Open the run of October 2026" in page

    def test_warns_of_a_month_that_still_runs(self, as_: As) -> None:
        ahead = Month.containing(clock.today()).next
        assert "It can be closed from" in text_of(as_("ada").get(f"/runs/open/?month={ahead}"))
        page = text_of(as_("ada").get(f"/runs/open/?month={ahead}&shadow=on"))
        assert "the shadow bills what happened up to now" in page

    def test_names_strangers_and_silence(self, as_: As, platform: None) -> None:
        use(ran("s1", "basic", OCTOBER.start, OCTOBER.end, "nobody-we-know"), source="other")
        page = text_of(as_("ada").get("/runs/open/?month=2026-10"))
        assert "nobody-we-know" in page and "1 account that does not exist here" in page

    def test_opens_it_and_leads_there(self, as_: As, platform: None) -> None:
        answer = as_("ada").post("/runs/open/", {"month": "2026-10"}, follow=True)
        run = Run.objects.get()
        assert answer.redirect_chain == [(f"/runs/{run.pk}/", 302)] and run.state == RunState.DRAFTING
        assert "its invoices are being drafted" in text_of(answer) and "progressbar" in text_of(answer)

    def test_a_second_time_leads_to_the_first(self, as_: As, platform: None) -> None:
        run = build()
        assert "Go to the run of October 2026" in text_of(as_("ada").get("/runs/open/?month=2026-10"))
        assert as_("ada").post("/runs/open/", {"month": "2026-10"}).headers["Location"] == f"/runs/{run.pk}/"

    @pytest.mark.parametrize("month", ["", "2026-13", "October", "2199-12"])
    def test_refuses_what_cannot_be_closed(self, as_: As, month: str) -> None:
        answer = as_("ada").post("/runs/open/", {"month": month})
        assert answer.status_code == 200 and "Nothing was opened" in text_of(answer) and not Run.objects.exists()

    def test_takes_a_role_that_may(self, as_: As) -> None:
        assert as_("iris").get("/runs/open/").status_code == 403
        assert as_("omar").get("/runs/open/").status_code == 200


class TestRun:
    def test_shows_first_what_needs_a_person(self, as_: As, platform: None) -> None:
        run = build()
        page = text_of(as_("grace").get(f"/runs/{run.pk}/"))
        assert "5 = 2 drafted + 2 zero + 1 held + 0 failed" in page
        assert "quantum-1x" in page and 'href="/prices/"' in page and f"/runs/{run.pk}/accounts/hooli/retry/" in page

    @pytest.mark.parametrize(
        ("outcome", "seen", "unseen"),
        [
            ("drafted", "Acme", "Globex"),
            ("zero", "Globex", "Initech"),
            ("movers", "Largest movers since September 2026, USD", "Umbrella"),
            ("history", "Drafting → review", "Initech"),
            ("failed", "No account of the roster is here", "Initech"),
        ],
    )
    def test_has_a_part_for_everything(self, as_: As, platform: None, outcome: str, seen: str, unseen: str) -> None:
        run = build()
        page = text_of(as_("grace").get(f"/runs/{run.pk}/?outcome={outcome}"))
        assert seen in page and unseen not in page

    def test_finds_an_account(self, as_: As, platform: None) -> None:
        run = build()
        page = text_of(as_("grace").get(f"/runs/{run.pk}/?outcome=drafted&q=ACM"))
        assert "1 account" in page and "initech" not in page

    @pytest.mark.parametrize("query", ["outcome=nonsense", "outcome=held&reason=x", "outcome=drafted&page=9&sort=-x"])
    def test_survives_any_address(self, as_: As, platform: None, query: str) -> None:
        assert as_("grace").get(f"/runs/{build().pk}/?{query}").status_code == 200

    def test_one_that_does_not_exist_is_a_sentence(self, as_: As) -> None:
        answer = as_("ada").get("/runs/4711/")
        assert answer.status_code == 404 and "There is no run 4711" in text_of(answer)

    def test_exports_how_every_account_ended(self, as_: As, platform: None) -> None:
        run = build()
        answer = as_("iris").get(f"/runs/{run.pk}/roster.csv")
        rows = list(csv.DictReader(b"".join(answer.streaming_content).decode().splitlines()))
        assert {row["account"]: row["outcome"] for row in rows} == {
            "acme": "drafted", "globex": "zero", "hooli": "held", "initech": "drafted", "umbrella": "zero"
        }  # fmt: skip
        assert next(row for row in rows if row["account"] == "acme")["total"] == "150"
        held = as_("iris").get(f"/runs/{run.pk}/roster.csv?outcome=held")
        assert len(b"".join(held.streaming_content).decode().splitlines()) == 2
        assert as_("omar").get(f"/runs/{run.pk}/roster.csv").status_code == 403


class TestProgress:
    def ask(self, client: Client, run: Run) -> object:
        return client.get(f"/runs/{run.pk}/", headers={"HX-Request": "true", "HX-Target": "progress"})

    def test_asks_again_while_workers_are_on_it(self, as_: As, platform: None) -> None:
        client = as_("ada")
        client.post("/runs/open/", {"month": "2026-10"})
        run = Run.objects.get()
        answer = self.ask(client, run)
        assert 'hx-trigger="every 2s"' in text_of(answer) and "HX-Refresh" not in answer.headers  # type: ignore[attr-defined]
        assert "<html" not in text_of(answer) and "5 pending" in text_of(answer)
        drafting.draft_waiting()
        answer = self.ask(client, run)
        assert answer.headers["HX-Refresh"] == "true" and "hx-trigger" not in text_of(answer)  # type: ignore[attr-defined]

    def test_estimates_after_the_second_shard(self, as_: As, platform: None) -> None:
        run = running.open_run(OCTOBER, actor=factories.ADA, shard_accounts=1)
        assert reviewing.time_left(run, clock.now()) is None
        for shard in leases.claim(RunShard, limit=3):
            drafting._draft(shard)
        left = reviewing.time_left(run, clock.now())
        assert left is not None and timedelta(0) < left < timedelta(minutes=1)


class TestApprove:
    def test_says_exactly_what_it_agrees_to(self, as_: As, platform: None) -> None:
        page = text_of(as_("grace").get(f"/runs/{build().pk}/approve/"))
        assert "exactly 2 drafts, 200.00 USD. Not part of it: 1 held account." in page

    def test_takes_a_second_person(self, as_: As, platform: None) -> None:
        run, opener = build(), as_("ada")
        assert f"/runs/{run.pk}/approve/" not in text_of(opener.get(f"/runs/{run.pk}/"))
        assert "You opened this run; somebody else of finance must approve it." in text_of(
            opener.get(f"/runs/{run.pk}/approve/")
        )
        opener.post(f"/runs/{run.pk}/approve/")
        run.refresh_from_db()
        assert run.state == RunState.REVIEW
        answer = as_("grace").post(f"/runs/{run.pk}/approve/", follow=True)
        run.refresh_from_db()
        assert run.state == RunState.APPROVED and "It can be issued now" in text_of(answer)

    @pytest.mark.parametrize("name", ["sam", "omar", "iris"])
    def test_takes_finance(self, as_: As, platform: None, name: str) -> None:
        assert as_(name).post(f"/runs/{build().pk}/approve/").status_code == 403

    def test_a_shadow_has_nothing_to_approve(self, as_: As, platform: None) -> None:
        run = build(shadow=True)
        assert "This is a shadow" in text_of(as_("grace").get(f"/runs/{run.pk}/approve/"))
        assert "Nothing of it is ever issued" in text_of(as_("grace").get(f"/runs/{run.pk}/"))


class TestIssue:
    def test_says_exactly_what_it_sends_and_does(self, as_: As, platform: None) -> None:
        run, client = build(), as_("grace")
        assert "it is issued when it is approved" in text_of(client.get(f"/runs/{run.pk}/issue/"))
        client.post(f"/runs/{run.pk}/approve/")
        assert "Issues 2 invoices, 200.00 USD." in text_of(client.get(f"/runs/{run.pk}/issue/"))
        client.post(f"/runs/{run.pk}/issue/", {"issue_date": "2026-11-02"})
        assert "every 2s" in text_of(client.get(f"/runs/{run.pk}/"))
        assert issued(run).state == RunState.ISSUING and run.issue_date == date(2026, 11, 2)
        page = text_of(client.get(f"/runs/{run.pk}/"))
        assert "every 2s" not in page, "nothing is under way: what is held waits for a person"
        assert "5 = 2 issued + 2 zero + 1 held + 0 failed" in page and "close the run" in page

    def test_refuses_no_date_and_a_draft_that_changed(self, as_: As, platform: None) -> None:
        run, client = build(), as_("grace")
        client.post(f"/runs/{run.pk}/approve/")
        assert "required" in text_of(client.post(f"/runs/{run.pk}/issue/", {"issue_date": ""}))

    def test_closes_without_what_is_held(self, as_: As, platform: None) -> None:
        run, client = build(), as_("grace")
        client.post(f"/runs/{run.pk}/approve/")
        client.post(f"/runs/{run.pk}/issue/", {"issue_date": "2026-11-02"})
        issued(run)
        assert "Gives up 1 held account and 0 failed accounts" in text_of(client.get(f"/runs/{run.pk}/close/"))
        client.post(f"/runs/{run.pk}/close/", {"reason": "Hooli is settled by hand"})
        run.refresh_from_db()
        assert run.state == RunState.CLOSED


class TestCancel:
    def test_deletes_the_drafts_and_opens_the_month_again(self, as_: As, platform: None) -> None:
        run, client = build(), as_("ada")
        page = text_of(client.get(f"/runs/{run.pk}/cancel/"))
        assert "Deletes 2 drafts, 200.00 USD" in page and ">Back</a>" in page
        assert "required" in text_of(client.post(f"/runs/{run.pk}/cancel/"))
        client.post(f"/runs/{run.pk}/cancel/", {"reason": "Wrong prices"})
        run.refresh_from_db()
        assert run.state == RunState.CANCELLED
        assert build().pk != run.pk

    def test_not_once_something_was_issued(self, as_: As, platform: None) -> None:
        run = close()
        assert "only a run of which nothing was issued" in text_of(as_("ada").get(f"/runs/{run.pk}/cancel/"))


class TestAccounts:
    def test_holds_and_releases_one(self, as_: As, platform: None) -> None:
        run, client = build(), as_("omar")
        page = text_of(client.get(f"/runs/{run.pk}/accounts/acme/hold/"))
        assert "Keeps Acme (acme) out of the issue" in page and "150.00 USD stays as it is" in page
        client.post(f"/runs/{run.pk}/accounts/acme/hold/", {"reason": "Disputed"})
        acme = ending(run, account_of("acme"))
        assert (acme.outcome, acme.reason) == (Outcome.HELD, "Disputed")
        assert "Disputed" in text_of(client.get(f"/runs/{run.pk}/?outcome=held"))
        client.post(f"/runs/{run.pk}/accounts/acme/release/", {"reason": "Settled"})
        assert ending(run, account_of("acme")).outcome == Outcome.DRAFTED

    def test_holding_withdraws_an_approval_and_says_so(self, as_: As, platform: None) -> None:
        run, client = build(), as_("grace")
        client.post(f"/runs/{run.pk}/approve/")
        assert "approval is withdrawn" in text_of(client.get(f"/runs/{run.pk}/accounts/acme/hold/"))
        client.post(f"/runs/{run.pk}/accounts/acme/hold/", {"reason": "Disputed"})
        run.refresh_from_db()
        assert run.state == RunState.REVIEW

    def test_retries_one_when_its_cause_is_mended(self, as_: As, platform: None) -> None:
        run, client = build(), as_("ada")
        client.post("/prices/new/", {"code": "quantum-1x", "name": "Quantum", "group": "dyno", "reason": "New"})
        price = {"currency": "USD", "model": "prorated", "unit_amount": "90", "unit": "month"}
        client.post("/prices/quantum-1x/", price | {"valid_from": "2026-10-01", "reason": "Launched"})
        client.post(f"/runs/{run.pk}/accounts/hooli/retry/", {"reason": "Priced now"})
        drafting.draft_waiting()
        assert ending(run, account_of("hooli")).total == 90

    def test_an_account_that_is_not_on_the_roster_is_a_sentence(self, as_: As, platform: None) -> None:
        answer = as_("ada").get(f"/runs/{build().pk}/accounts/nobody/hold/")
        assert answer.status_code == 404 and "not on the roster" in text_of(answer)

    def test_says_why_it_could_not(self, as_: As, platform: None) -> None:
        run = close()
        answer = as_("ada").post(f"/runs/{run.pk}/accounts/acme/hold/", {"reason": "Late"})
        assert answer.status_code == 200 and "before it is issued" in text_of(answer)

    def test_retries_all_that_failed(self, as_: As, platform: None) -> None:
        run, client = build(), as_("ada")
        assert "nothing to retry" in text_of(client.get(f"/runs/{run.pk}/retry/"))
        with audit.acting(run.actor):
            run.roster.filter(account__code="umbrella").update(outcome="failed", reason_code="shard", reason="Lost")
        assert "Drafts 1 failed account anew" in text_of(client.get(f"/runs/{run.pk}/retry/"))
        client.post(f"/runs/{run.pk}/retry/")
        drafting.draft_waiting()
        assert ending(run, account_of("umbrella")).outcome == Outcome.ZERO


def account_of(code: str) -> Account:
    return Account.objects.get(code=code)
