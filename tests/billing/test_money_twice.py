"""Where contracts, waivers and voids meet late usage: nothing given that was not taken, nothing taken for a gift."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Account
from billing import adjusting, contracting, voiding
from billing.models import Price, Product
from core import audit
from core.errors import Conflict
from tests import factories
from tests.billing.test_interplay import verified
from tests.factories import ACTOR, ADA, OCTOBER, account, build, close, invoice, lines, ran, use
from tests.usage import factories as usage

pytestmark = pytest.mark.django_db
SEPTEMBER = OCTOBER.previous
ON = date(2026, 11, 9)


@pytest.fixture
def acme() -> Account:
    factories.staff()
    return account("acme")


def agreed(owner: Account, terms: dict[str, Any]) -> None:
    contracting.agree(
        owner.pk, terms=terms, valid_from=SEPTEMBER, valid_to=None, name="Own", reason="Signed.", actor=ADA
    )


def test_two_meters_of_one_product_share_an_allowance_and_need_no_correction(acme: Account) -> None:
    with audit.acting(ACTOR):
        product = Product.objects.create(code="calls", name="Calls", group="other")
        Price.objects.create(
            product=product, currency="USD", model="per_unit", terms={"model": "per_unit", "unit_amount": "1"},
            unit="call", valid_from=datetime(2012, 1, 1, tzinfo=UTC),
        )  # fmt: skip
    agreed(acme, {"allowances": [{"name": "Free calls", "products": ["calls"], "quantity": "10"}]})
    moment = usage.written(SEPTEMBER.start)
    use(
        [
            {"id": meter, "type": "measured", "time": moment, "resource": "c", "product": "calls", "app": "shop",
             "account": "acme", "meter": meter, "quantity": quantity}
            for meter, quantity in (("in", "10"), ("out", "30"))
        ]
    )  # fmt: skip
    close(SEPTEMBER)
    assert invoice(acme, SEPTEMBER).total == 30, lines(invoice(acme, SEPTEMBER))
    build(OCTOBER)
    assert not acme.invoices.filter(period_start=OCTOBER.first_day).exists(), lines(invoice(acme))


def test_a_waived_minimum_is_not_taken_off_late_usage(acme: Account) -> None:
    agreed(acme, {"minimum_spend": "60"})
    use(ran("b", "basic", SEPTEMBER.start, SEPTEMBER.end, "acme"))
    run = build(SEPTEMBER)
    made_up = invoice(acme, SEPTEMBER).lines.get(meter="contract: minimum spend")
    adjusting.waive_line(made_up.pk, reason="First month.", actor=ADA)
    factories.issue(run, date(2026, 10, 2))
    use(ran("late", "standard-1x", SEPTEMBER.start, SEPTEMBER.end, "acme"))
    build(OCTOBER)
    of_september = invoice(acme).lines.filter(period_start__lt=OCTOBER.start)
    assert sum(line.amount for line in of_september) == 25
    assert verified()


def test_a_month_of_which_part_was_given_back_is_not_voided_before_what_gives_it(acme: Account) -> None:
    august = SEPTEMBER.previous
    use(ran("w", "standard-1x", august.start, None, "acme"))
    use(ran("other", "standard-2x", SEPTEMBER.start, SEPTEMBER.end, "acme"))
    close(august)
    use([{"id": "c", "type": "close", "time": "2026-08-01T12:00:00Z", "resource": "w", "product": "standard-1x"}])
    close(SEPTEMBER)
    wrong, right = invoice(acme, august), invoice(acme, SEPTEMBER)
    with pytest.raises(Conflict, match="gives back part"):
        voiding.void(wrong.pk, reason="x", actor=ADA, on=ON)
    for one in (right, wrong):
        voiding.void(one.pk, reason="x", actor=ADA, on=ON)
    assert verified()
    close(OCTOBER)
    assert invoice(acme).total == Decimal("50.40"), "half a day of August and all of September"
    assert verified()


def test_an_allowance_never_costs(acme: Account) -> None:
    with audit.acting(ACTOR):
        product = Product.objects.create(code="calls", name="Calls", group="other")
        tiers = [{"up_to": "100", "unit_amount": "1"}, {"up_to": None, "unit_amount": "0.5"}]
        Price.objects.create(
            product=product, currency="USD", model="volume", terms={"model": "volume", "tiers": tiers},
            unit="call", valid_from=datetime(2012, 1, 1, tzinfo=UTC),
        )  # fmt: skip
    agreed(acme, {"allowances": [{"name": "Free calls", "products": ["calls"], "quantity": "20"}]})
    moment = usage.written(SEPTEMBER.start)
    use(
        [{"id": "m", "type": "measured", "time": moment, "resource": "c", "product": "calls", "app": "shop",
             "account": "acme", "meter": "calls", "quantity": "110"}]
    )  # fmt: skip
    build(SEPTEMBER)
    assert invoice(acme, SEPTEMBER).total == 55, "90 calls of it would cost 90"
