"""``manage.py simulate``: drive any amount of seeded usage through the real intake."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser

from core import clock
from core.commands import VaultCommand
from core.errors import Invalid
from core.periods import Month, Span
from usage import pairing, sending, sources
from usage.agreement import Hours
from usage.models import Source
from usage.window import ANY_PAST
from vault.simulation import life, registering, stating
from vault.simulation.tenants import tenants

SOURCE = "simulation"
ACTOR = "system:simulate"


class Command(VaultCommand):
    help = "Register N simulated accounts and send M months of their usage, up to now; the seed decides everything."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--accounts", type=int, default=100)
        parser.add_argument(
            "--months", type=int, default=1, help="how many months, the last one is the latest complete"
        )
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--base-url", default="", help="send over HTTP to this address instead of in this process")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["accounts"] <= 1_000_000 or not 1 <= options["months"] <= 120:
            raise Invalid("Simulate 1 to 1,000,000 accounts over 1 to 120 months")
        first = Month.containing(clock.today())
        months = [first := first.previous for _ in range(options["months"])][::-1]
        registering.register(tenants(options["accounts"], seed=options["seed"]), actor=ACTOR)
        sender, hours = _sender(options["base_url"]), Hours()
        tally = sending.send_all(
            _events(options["accounts"], options["seed"], months),
            sender,
            lambda sent: self.progress(f"{sent:,} events sent"),
            hours,
        )
        span = Span(months[0].start, months[-1].end)
        stating.state(sender, stating.remember(sources.find(SOURCE), hours, span), span)
        paired = pairing.drain()
        self.progress("")
        result = {
            "accounts": options["accounts"],
            "months": [str(month) for month in months],
            "accepted": tally.accepted,
        }
        result |= {"duplicate": tally.duplicate, "refused": tally.refused, "paired": paired}
        text = f"{tally.accepted:,} events accepted, {tally.duplicate:,} known already, {tally.refused:,} refused."
        self.emit(result, text, options)


def _events(accounts: int, seed: int, months: list[Month]) -> Iterator[dict[str, Any]]:
    for tenant in tenants(accounts, seed=seed):
        for month in months:
            yield from map(dict, life.month_of(tenant, month, seed=seed, first=months[0]))


def _sender(base_url: str) -> sending.Sender:
    source = Source.objects.filter(name=SOURCE).first()
    if source is None:
        source, _ = sources.create(SOURCE, actor=ACTOR, title="Simulated platform", past_days=3650)
    if not base_url:
        return sending.InProcess(source, ANY_PAST)
    return sending.OverHttp(base_url, sources.rotate(source, actor=ACTOR, overlap=timedelta(0)).text)
