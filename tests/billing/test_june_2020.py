"""O1: a real invoice of June 2020, line by line, from usage events to the total of 75.85."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from core.periods import Month
from tests import factories
from tests.factories import account, invoice, use
from tests.usage.factories import written

pytestmark = pytest.mark.django_db
JUNE = Month(2020, 6)
# app, process, product, months as printed (seven decimals), amount as printed
PRINTED = [
    ("app-a", "web", "hobby", "1", "7.00"),
    ("app-b", "release", "hobby", "0.0000976", "0.00"),
    ("app-b", "run", "hobby", "0.0073211", "0.05"),
    ("app-b", "web", "hobby", "1", "7.00"),
    ("app-b", "worker", "hobby", "1", "7.00"),
    ("app-b", "", "postgres-standard-0", "1", "50.00"),
    ("app-c", "release", "hobby", "0.0000537", "0.00"),
    ("app-c", "run", "hobby", "0.0000085", "0.00"),
    ("app-c", "web", "hobby", "0.0306929", "0.21"),
    ("app-d", "web", "hobby", "0.0425833", "0.30"),
]


def events() -> list[dict[str, str]]:
    """Opens and closes that last exactly the printed months: microseconds carry seven decimals of a June."""
    found = []
    for number, (app, process, product, months, _) in enumerate(PRINTED):
        micros = Decimal(months) * JUNE.seconds * 1_000_000
        assert micros == micros.to_integral_value(), "a June has 2,592,000 seconds: ten to the minus seven is 0.2592 s"
        closed = JUNE.start + timedelta(microseconds=int(micros))
        said = {"resource": f"{app}/{process or product}.{number}", "product": product, "component": process}
        said = {key: value for key, value in said.items() if value}
        opening = {"id": f"{number}-open", "type": "open", "time": written(JUNE.start), "app": app, "account": "harbor"}
        found += [said | opening, said | {"id": f"{number}-close", "type": "close", "time": written(closed)}]
    return found


def test_the_invoice_of_june_2020_is_reproduced_line_by_line() -> None:
    harbor = account("harbor", region="DC", name="Harbor Labs")
    use(events())
    run = factories.close(JUNE, date(2020, 7, 1))
    made = invoice(harbor, JUNE)
    printed = [
        (line.app, line.component, line.product, line.quantity.quantize(Decimal("1.0000000")), line.amount)
        for line in made.lines.order_by("position")
    ]
    assert sorted(printed) == sorted(
        (app, process, product, Decimal(months), Decimal(amount)) for app, process, product, months, amount in PRINTED
    )
    dynos = sum(line.amount for line in made.lines.filter(group="dyno"))
    addons = sum(line.amount for line in made.lines.exclude(group="dyno"))
    assert (dynos, addons) == (Decimal("21.56"), Decimal("50.00"))
    assert (made.subtotal, made.tax, made.total) == (Decimal("71.56"), Decimal("4.29"), Decimal("75.85"))
    assert (made.number, made.period_start, made.period_end) == (
        "VAULT-2020-000001",
        date(2020, 6, 1),
        date(2020, 7, 1),
    )
    assert run.state == "closed"
