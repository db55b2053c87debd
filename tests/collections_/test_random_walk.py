"""Three months of everything people do to bills, drawn at random: every invariant holds after each, nothing is lost."""

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Account
from billing import (
    adjusting,
    contracting,
    credit_notes,
    crediting,
    drafting,
    gathering,
    holding,
    retrying,
    running,
    settling,
)
from billing.models import Invoice, InvoiceLine, Run
from billing.month_lines import month_lines
from collections_ import charging_back, paying, voiding
from collections_.models import Payment
from core import audit, clock
from core.errors import VaultError
from core.money import minor_unit
from core.money import total as exact_total
from core.periods import Month
from tests import factories
from tests.billing.test_interplay import verified
from tests.factories import ACTOR, ADA, GRACE, OCTOBER, account, build, issue, ran, use
from tests.usage.factories import written

pytestmark = pytest.mark.django_db
MONTHS = (OCTOBER.previous.previous, OCTOBER.previous, OCTOBER)
SEEDS = range(4)
ON = date(2026, 11, 9)
PRODUCTS = ("standard-1x", "basic", "performance-m", "mini-postgres", "log-drain-choklad")


class Walk:
    """The accounts, and what may happen to them; ``touched`` are those for whom a person changed what is charged."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.count, self.touched, self.log = 0, set[int](), list[str]()
        self.running: list[tuple[str, str, datetime]] = []
        factories.staff()
        self.accounts = [
            account("acme", region="DC"),
            account("bolt", country="JP", currency="JPY"),
            account("calm"),
            account("dawn", region="DC"),
        ]
        for owner in self.accounts[:2]:
            self.agree(owner, MONTHS[0])

    def agree(self, owner: Account, start: Month) -> None:
        coin = minor_unit(owner.currency)
        terms: dict[str, Any] = {
            "allowances": [{"name": "Free", "products": ["standard-1x", "basic"], "quantity": "300",
                            "per": self.random.choice(["app", "account"])}],
            "discounts": [{"name": "Partner", "rate": "0.13"},
                          {"name": "Data", "amount": str(coin * 300), "groups": ["data"]}],
            self.random.choice(["minimum_spend", "maximum_spend"]): str(coin * self.random.choice([3000, 9000, 30000])),
        }  # fmt: skip
        if self.random.random() < 0.3:
            terms = {"commitment": {"amount": str(coin * 5000), "overage_rate": "0.2"}}
        contracting.agree(
            owner.pk, terms=terms, valid_from=start, valid_to=None, name="Own", reason="Signed.", actor=ADA
        )

    def use(self, month: Month) -> None:
        """Run something for a part of a month, which may be billed already."""
        self.count += 1
        start = month.start + timedelta(hours=self.random.randrange(600))
        end = min(start + timedelta(hours=self.random.randrange(1, 700)), month.end)
        owner = self.random.choice(self.accounts)
        what, app = self.random.choice(PRODUCTS), self.random.choice(["shop", "blog"]) + owner.code
        goes_on = self.random.random() < 0.6
        if goes_on:
            self.running.append((f"r{self.count}", what, start))
        use(ran(f"r{self.count}", what, start, None if goes_on else end, owner.code, app))

    def stop(self) -> None:
        """Let it be known of something that runs that it stopped long ago, in months that may be billed already."""
        if not self.running:
            return
        resource, what, start = self.running.pop(self.random.randrange(len(self.running)))
        end = min(start + timedelta(hours=self.random.randrange(1, 1000)), OCTOBER.end)
        use([{"id": f"{resource}:stop", "type": "close", "time": written(end), "resource": resource, "product": what}])

    def draft_action(self, run: Run) -> None:
        drafts = list(Invoice.objects.filter(run=run, status="draft"))
        if not drafts:
            return
        made = self.random.choice(drafts)
        line = self.random.choice(list(made.lines.all()))
        coin = minor_unit(made.currency)
        deeds: list[Callable[[], object]] = [
            lambda: adjusting.waive_line(line.pk, reason="Outage.", actor=ADA),
            lambda: adjusting.change_line(line.pk, amount=coin * self.random.randrange(3000), reason="x", actor=ADA),
            lambda: adjusting.add_line(made.pk, description="Gift", amount=coin * -100, reason="x", actor=ADA),
            lambda: self.credit(made.account),
            lambda: holding.hold(run.pk, made.account_id, reason="Look.", actor=ADA),
            lambda: retrying.retry_account(run.pk, made.account_id, actor=ADA),
        ]
        chosen = self.random.randrange(len(deeds))
        if chosen < 2:
            self.touched.add(made.account_id)
        self.attempt(f"draft deed {chosen} on {made.account.code}", deeds[chosen])

    def credit(self, owner: Account) -> None:
        scope = self.random.choice([[], ["dyno"], ["data"]])
        amount = minor_unit(owner.currency) * self.random.randrange(1, 4000)
        crediting.request(
            owner.pk, amount, reason="Sorry.", actor=ADA, scope=scope, partners=self.random.random() < 0.5
        )

    def later_action(self) -> None:
        made = self.random.choice(list(Invoice.objects.exclude(status="draft")) or [None])
        if made is None:
            return
        line = self.random.choice(list(made.lines.all()))
        on = made.due_on or ON
        deeds: list[Callable[[], object]] = [
            lambda: self.note(made, line),
            lambda: voiding.void(made.pk, reason="Wrong.", actor=ADA, on=on),
            lambda: self.pay(made),
            lambda: self.charge_back(made),
            lambda: settling.write_off(made.pk, reason="Gone.", actor=ADA, on=on),
        ]
        chosen = self.random.choices(range(5), [3, 3, 2, 1, 1])[0]
        self.attempt(f"later deed {chosen} on {made}", deeds[chosen])

    def note(self, made: Invoice, line: InvoiceLine) -> None:
        left = credit_notes.left_of(made)[line.pk]
        part = self.random.choice([left, (left / 2).quantize(minor_unit(made.currency))])
        self.touched.add(made.account_id)
        credit_notes.issue(made.pk, {line.pk: part}, reason="Slow.", actor=ADA, on=made.due_on or ON)

    def pay(self, made: Invoice) -> None:
        self.count += 1
        amount = self.random.choice([made.outstanding, made.outstanding, minor_unit(made.currency) * 150])
        paying.record(
            account_id=made.account_id, currency=made.currency, amount=amount, method="bank_transfer",
            reference=f"t{self.count}", received_on=date(2026, 11, 5), actor=ADA,
        )  # fmt: skip

    def charge_back(self, made: Invoice) -> None:
        payment = Payment.objects.filter(account=made.account_id).order_by("-pk").first()
        if payment is not None:
            self.count += 1
            charging_back.record(
                payment.pk, reference=f"d{self.count}", amount=minor_unit(made.currency) * 100, reason="fraud",
                taken_on=date(2026, 11, 9), actor=ADA,
            )  # fmt: skip

    def attempt(self, name: str, deed: Callable[[], object]) -> None:
        """Do it, or be told in a sentence why not; anything else fails the test."""
        try:
            with audit.acting(ACTOR):
                deed()
        except VaultError as said:
            name = f"{name}: {said}"
        self.log.append(name)

    def close(self, month: Month) -> None:
        run = build(month)
        for _ in range(self.random.randrange(5)):
            self.draft_action(run)
        drafting.draft_waiting()
        run = issue(run, month.next.first_day.replace(day=5))
        if run.state != "closed":
            running.close(run.pk, actor=GRACE, reason="They wait.")
        self.log.append(
            f"closed {month}: {list(run.roster.values_list('account__code', 'outcome', 'reason_code', 'total'))}"
        )

    def unbilled(self) -> list[tuple[str, Month, Decimal, Decimal]]:
        """Accounts nobody touched, whose months came to something else than rating says of them today."""
        wrong = []
        facts = gathering.facts_of([one for one in self.accounts if one.pk not in self.touched])
        now = clock.database_now()
        for month in MONTHS:
            known = gathering.gather_for(facts, month, now, now)
            billed = gathering.billed([one.key for one in facts], month, None)
            for one in facts:
                lines = month_lines(
                    known.usage.get(one.code, ()),
                    known.book,
                    one.currency,
                    known.contracts.get((one.key, one.currency)),
                )
                due = exact_total(line.amount for line in lines)
                charged = exact_total(line.charged for _, line in billed.get(one.key, ()))
                if due != charged:
                    wrong.append((one.code, month, due, charged))
        return wrong


@pytest.mark.parametrize("seed", SEEDS)
def test_walk(seed: int) -> None:
    walk = Walk(seed)
    unsettled = set[str]()
    for place, month in enumerate(MONTHS):
        for _ in range(walk.random.randrange(3, 9)):
            walk.use(month)
        for _ in range(walk.random.randrange(3) if place else 0):
            walk.use(MONTHS[walk.random.randrange(place)])
        for _ in range(walk.random.randrange(4)):
            walk.stop()
        walk.close(month)
        assert verified(), walk.log
        waiting = Run.objects.get(month=month.first_day, shadow=False).roster.filter(outcome__in=["held", "failed"])
        unsettled = set(waiting.values_list("account__code", flat=True))
        for _ in range(walk.random.randrange(2, 7)):
            voided = set(Invoice.objects.filter(status="void").values_list("pk", flat=True))
            walk.later_action()
            assert verified(), walk.log
            now_void = Invoice.objects.filter(status="void").exclude(pk__in=voided)
            unsettled |= set(now_void.values_list("account__code", flat=True))
    assert [row for row in walk.unbilled() if row[0] not in unsettled] == [], walk.log
