"""What a correction moves is shown before, to the cent, and found by the next run."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing import adjusting, contracting, crediting, explaining, holding
from billing.foreseeing import ADJUSTMENT, DRAFT, NOWHERE
from billing.models import InvoiceLine
from core.errors import Invalid
from core.periods import Month
from insights import moving
from insights.moving import ChangedMeanwhile, Moved
from insights.views import amendments
from monitoring import invariants
from tests import factories
from tests.factories import OCTOBER, account, invoice, ran, use
from tests.usage.factories import hour
from usage import amending
from usage.amending import Amending, Correction, Reverting
from usage.models import Amendment, Event, Interval, Unpaired
from usage.reported import ReportedEvent

pytestmark = pytest.mark.django_db
OLGA = "user:olga@example.com"
SEPTEMBER = OCTOBER.previous
NOVEMBER = OCTOBER.next


def said(kind: str, at: datetime, resource: str = "w", product: str = "standard-1x", **more: object) -> ReportedEvent:
    return ReportedEvent(0, "new", kind, at, resource, product, "duration", "", "shop", "", None)


def correction(start: float, end: float, events: Iterable[ReportedEvent] = (), resource: str = "w") -> Correction:
    return Correction(resource, hour(start), hour(end), tuple(events))


def closing_at(at: float, resource: str = "w", product: str = "standard-1x") -> Amending:
    """Let the resource have closed at an hour, and forget what was told in the hour after."""
    return Amending([correction(at, at + 1, [said("close", hour(at), resource, product)], resource)], "close was lost")


def differences(moved: Moved) -> dict[tuple[str, str], Decimal]:
    return {(m.account, str(m.month)): m.difference for m in moved.movements}


@pytest.fixture
def acme() -> object:
    one = account("acme")
    use(ran("w", "standard-1x", SEPTEMBER.start, None, "acme"))
    return one


class TestAPreview:
    def test_leaves_no_trace(self, acme: object) -> None:
        before = list(Interval.objects.values()), Event.objects.count()
        moved = moving.preview(closing_at(0), actor=OLGA)
        assert moved.movements and not Amendment.objects.exists() and not Unpaired.objects.exists()
        assert (list(Interval.objects.values()), Event.objects.count()) == before

    def test_shows_each_month_and_where_it_lands(self, acme: object) -> None:
        factories.close(SEPTEMBER)
        factories.close(OCTOBER)
        moved = moving.preview(closing_at(-360), actor=OLGA)  # the middle of September
        found = [(str(m.month), m.before, m.after, m.landing.kind, str(m.landing.month)) for m in moved.movements]
        assert found[:2] == [
            ("2026-09", Decimal(25), Decimal("12.50"), ADJUSTMENT, "2026-11"),
            ("2026-10", Decimal(25), Decimal(0), ADJUSTMENT, "2026-11"),
        ]
        assert found[2][0::3] == ("2026-11", DRAFT) and found[2][2] == 0
        assert [m.original[1] if m.original else "" for m in moved.movements[:2]] == [
            invoice(acme, month).number  # type: ignore[arg-type]
            for month in (SEPTEMBER, OCTOBER)
        ]
        assert moved.totals == {"USD": sum(m.difference for m in moved.movements)}

    def test_says_when_no_run_looks_again(self, acme: object) -> None:
        for month in (SEPTEMBER.previous, SEPTEMBER, OCTOBER):
            factories.close(month)
        use([{"id": "x", "type": "open", "time": "2026-08-03T00:00:00Z", "resource": "v", "product": "basic",
              "account": "acme"}])  # fmt: skip
        moved = moving.preview(closing_at(-24 * 40, "v", "basic"), actor=OLGA)
        august = next(m for m in moved.movements if str(m.month) == "2026-08")
        assert august.landing.kind == NOWHERE and "by hand" in august.landing.sentence

    def test_of_what_cannot_be_is_refused(self, acme: object) -> None:
        future = hour(0) + timedelta(days=400)
        for wrong, field in (
            (Correction("w", hour(1), hour(1)), "end"),
            (Correction("w", hour(0), future), "end"),
            (Correction("w", hour(-24 * 400), hour(0)), "end"),
            (correction(0, 1, [said("close", hour(1))]), "events[0].time"),
            (correction(0, 1, [said("close", hour(0), "other")]), "events[0].resource"),
            (correction(0, 1, [said("close", hour(0), product="gold")]), "events[0].product"),
            (Correction("nobody", hour(0), hour(1)), "resource"),
            (Correction("w", hour(0), hour(1), [said("close", hour(0))], "requests"), "events[0].meter"),
            (Correction("w", hour(0), hour(1), [said("close", hour(0))] * 10_001), "events"),
        ):
            with pytest.raises(Invalid) as caught:
                moving.preview(Amending([wrong], "why"), actor=OLGA)
            assert caught.value.field == field, str(caught.value)
        with pytest.raises(Invalid, match="why"):
            moving.preview(Amending([correction(0, 1)], " "), actor=OLGA)
        with pytest.raises(Invalid, match="same time"):
            moving.preview(Amending([correction(0, 2), correction(1, 3)], "why"), actor=OLGA)


class TestWhatWasShown:
    def test_is_what_the_next_run_adjusts(self, acme: object) -> None:
        factories.close(OCTOBER)
        change = closing_at(100)
        moved = moving.preview(change, actor=OLGA)
        made, _ = moving.carry_out(change, actor=OLGA, token=moved.token)
        lines = adjustments_of(acme, OCTOBER)
        assert {(str(m.month), m.difference) for m in moved.movements if m.landing.kind == ADJUSTMENT} == {
            ("2026-10", line) for line in lines
        }
        assert Amendment.objects.get().recorded_by == OLGA and made.amendments

    def test_must_be_what_happens(self, acme: object) -> None:
        moved = moving.preview(closing_at(100), actor=OLGA)
        use(ran("v", "standard-1x", hour(99), hour(101), "acme"))
        moving.preview(closing_at(100), actor=OLGA)
        with pytest.raises(ChangedMeanwhile):
            moving.carry_out(closing_at(90), actor=OLGA, token=moved.token)
        assert not Amendment.objects.exists()

    def test_stands_however_long_somebody_looks_at_it(self, acme: object, monkeypatch: pytest.MonkeyPatch) -> None:
        """What still runs costs more by the hour; what was shown is what it came to at the moment it was shown."""
        longer = amending._make

        def later(*args: Any) -> amending.Made:
            made = longer(*args)
            return made._replace(after=made.after + timedelta(hours=5))

        change = closing_at(100)
        moved = moving.preview(change, actor=OLGA)
        monkeypatch.setattr(amending, "_make", later)
        assert moving.preview(change, actor=OLGA).totals != moved.totals
        _, recorded = moving.carry_out(change, actor=OLGA, token=moved.token)
        assert recorded == moved and Amendment.objects.exists()

    @pytest.mark.parametrize("token", ["x", "-", "ffffffffffffffffffffff-1", "1f-2"])
    def test_is_asked_for_by_a_token_that_a_preview_gave(self, acme: object, token: str) -> None:
        with pytest.raises(ChangedMeanwhile):
            moving.carry_out(closing_at(100), actor=OLGA, token=token)
        assert not Amendment.objects.exists()

    def test_may_be_given_another_reason(self, acme: object) -> None:
        moved = moving.preview(closing_at(100), actor=OLGA)
        change = Amending(closing_at(100).corrections, "told by the platform team")
        moving.carry_out(change, actor=OLGA, token=moved.token)
        assert Amendment.objects.get().reason == "told by the platform team"


class TestTakingBack:
    def test_moves_it_all_back(self, acme: object) -> None:
        change = closing_at(100)
        forth = moving.preview(change, actor=OLGA)
        made, _ = moving.carry_out(change, actor=OLGA, token=forth.token)
        revert = Reverting(made.amendments, "it had not closed after all")
        back = moving.preview(revert, actor=OLGA)
        assert differences(back)["acme", "2026-10"] == -differences(forth)["acme", "2026-10"]
        moving.carry_out(revert, actor=OLGA, token=back.token)
        assert Amendment.objects.get().reverted_by == OLGA
        with pytest.raises(amending.Conflict, match="already"):
            moving.preview(revert, actor=OLGA)


class TestAnAdjustment:
    def test_is_linked_to_the_invoice_and_tells_the_reason(self, acme: object) -> None:
        factories.close(OCTOBER)
        amended = amending.amend("w", hour(100), hour(101), [said("close", hour(100))], reason="lost close", actor=OLGA)
        lost = run_of(OCTOBER.next, acme)
        assert lost.adjusts == invoice(acme, OCTOBER)  # type: ignore[arg-type]
        assert lost.amount < 0 and lost.reason.endswith(f" Amendment {amended.pk}: lost close.")
        assert "not to have been this account's" in lost.reason

    def test_of_what_was_taken_back_again_is_none(self, acme: object) -> None:
        factories.close(OCTOBER)
        amended = amending.amend("w", hour(100), hour(101), [said("close", hour(100))], reason="lost", actor=OLGA)
        amending.revert(amended.pk, reason="not lost", actor=OLGA)
        assert adjustments_of(acme, OCTOBER) == []

    def test_of_more_usage_charges_it(self, acme: object) -> None:
        use(ran("v", "basic", hour(0), hour(10), "acme"))
        factories.close(OCTOBER)
        amending.amend(
            "v", hour(9), hour(21), [said("close", hour(20), "v", "basic")], reason="closed later", actor=OLGA
        )
        line = run_of(OCTOBER.next, acme)
        assert line.amount > 0 and line.usage == 36000 and "closed later" in line.reason


class TestTheNextInvoice:
    """September is issued; then it is corrected; October bills the difference, for good."""

    def corrected(self, owner: object, at: float) -> Moved:
        factories.close(SEPTEMBER)
        change = closing_at(at)
        moved = moving.preview(change, actor=OLGA)
        moving.carry_out(change, actor=OLGA, token=moved.token)
        return moved

    def test_carries_just_what_was_shown_linked_to_both(self, acme: object) -> None:
        use(ran("other", "standard-2x", SEPTEMBER.start, None, "acme"))  # so that October comes to more than nothing
        moved = self.corrected(acme, -360)
        factories.close(OCTOBER)
        made = invoice(acme, OCTOBER)  # type: ignore[arg-type]
        (line,) = made.lines.filter(kind="adjustment")
        shown = [m for m in moved.movements if m.landing.kind == ADJUSTMENT]
        assert [(m.difference, str(m.landing.month)) for m in shown] == [(line.amount, str(OCTOBER))]
        assert line.adjusts == invoice(acme, SEPTEMBER) and shown[0].original == (line.adjusts_id, line.adjusts.number)  # type: ignore[arg-type,union-attr]
        (amendment,) = Amendment.objects.all()
        assert explaining.explain(line).amendments == (amendment.pk,)
        assert amendments.billed_lines(amendment, list(moved.movements)) == [line]
        assert made.status == "open" and made.total == made.subtotal == 50 + line.amount
        assert all(invariants.check(one).holds for one in invariants.collect())
        assert adjustments_of(acme, SEPTEMBER, NOVEMBER) == [], "and it is settled by that"

    def test_that_would_be_below_nothing_waits_and_becomes_a_credit(self, acme: object) -> None:
        """The whole of September goes, and nothing else ran in October: there is nothing to take it off from."""
        moved = self.corrected(acme, -719)
        run = factories.build(OCTOBER)
        entry = factories.ending(run, acme)  # type: ignore[arg-type]
        assert (entry.outcome, entry.reason_code) == ("held", "negative")
        (line,) = invoice(acme, OCTOBER).lines.all()  # type: ignore[arg-type]
        assert line.amount == next(m.difference for m in moved.movements if m.month == SEPTEMBER) < -24
        adjusting.waive_line(line.pk, reason="Given as a credit instead", actor=factories.ADA)
        grant = crediting.request(
            acme.pk,
            -line.amount,
            reason=line.reason,
            actor=factories.ADA,  # type: ignore[attr-defined]
        )
        assert (grant.state, grant.balance) == ("active", -line.amount)
        holding.release(run.pk, acme.pk, actor=factories.ADA, reason="credited")  # type: ignore[attr-defined]
        factories.issue(run)
        assert adjustments_of(acme, SEPTEMBER, NOVEMBER) == [], "it is not taken off a second time"


class TestAContract:
    """Acme has 10 % off and spends at least 20 a month; what a correction moves heeds both."""

    @pytest.fixture
    def contracted(self, acme: object) -> object:
        contracting.agree(
            acme.pk,  # type: ignore[attr-defined]
            name="Ten off",
            valid_from=SEPTEMBER,
            valid_to=None,
            terms={"discounts": [{"name": "Ten off", "rate": "0.1"}], "minimum_spend": "20.00"},
            reason="agreed",
            actor=factories.ADA,
        )
        return acme

    def test_holds_for_the_month_that_was_billed(self, contracted: object) -> None:
        factories.close(SEPTEMBER)
        assert invoice(contracted, SEPTEMBER).subtotal == Decimal("22.50")  # type: ignore[arg-type]
        moved = moving.preview(closing_at(-360), actor=OLGA)
        moving.carry_out(closing_at(-360), actor=OLGA, token=moved.token)
        run = factories.build(OCTOBER)
        lines = factories.ending(run, contracted).invoice.lines.filter(kind="adjustment")  # type: ignore[arg-type,union-attr]
        september = [m.difference for m in moved.movements if m.month == SEPTEMBER]
        assert sum(september) == sum(line.amount for line in lines) == Decimal("-2.50"), "from 22.50 to the minimum"

    def test_makes_nothing_up_while_the_month_runs(self, contracted: object) -> None:
        for month in (SEPTEMBER, OCTOBER):
            factories.close(month)
        moved = moving.preview(closing_at(745), actor=OLGA)  # the first hour of November
        assert sum(m.difference for m in moved.movements if m.month == NOVEMBER) < -10


def run_of(month: Month, owner: object) -> InvoiceLine:
    """The one adjustment that a shadow run of ``month`` writes for an account."""
    made = factories.ending(factories.build(month, shadow=True), owner).invoice  # type: ignore[arg-type]
    assert made is not None
    return made.lines.get(kind="adjustment")


def adjustments_of(owner: object, month: Month, later: Month | None = None) -> list[Decimal]:
    """What a later run would write about a closed month, told by a shadow: the next one's unless said."""
    run = factories.build(later or month.next, shadow=True)
    made = factories.ending(run, owner).invoice  # type: ignore[arg-type]
    return [line.amount for line in made.lines.filter(kind="adjustment", period_start__lt=month.end)] if made else []
