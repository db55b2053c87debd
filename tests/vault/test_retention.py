"""A month of usage leaves the store when it is old and billed for good, and not before."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command

from billing import explaining, pricing
from billing.models import InvoiceLine, Product, RunAccount
from core import audit
from core.errors import Refused, VaultError
from core.periods import Month
from tests import factories
from tests.usage.factories import measured, report
from usage import behind, hour_totals, stretches
from usage.models import Event, MonthArchive, Source
from vault import retention

pytestmark = pytest.mark.django_db
MARCH = Month(2026, 3)
NOW = datetime(2026, 11, 24, tzinfo=UTC)
WHY = "a test states no hours"


@pytest.fixture(autouse=True)
def months(settings: Any) -> None:
    settings.USAGE_MONTHS = 6


@pytest.fixture
def march() -> None:
    factories.account("acme")
    with audit.acting(factories.ACTOR):
        requests = Product.objects.create(code="requests", name="Requests", group="data")
    since = datetime(2026, 1, 1, tzinfo=UTC)
    terms = {"model": "per_unit", "unit_amount": "0.5"}
    more: dict[str, Any] = {"valid_from": since, "now": since, "actor": factories.ACTOR, "reason": "new"}
    pricing.schedule(product=requests, currency="USD", terms=terms, unit="request", **more)
    factories.use(factories.ran("d1", "standard-1x", MARCH.start, MARCH.end, "acme"))
    said = {"time": "2026-03-05T10:00:00Z", "id": "m"}
    report(Source.objects.get(), [measured(0, 7, "d1", **said)])
    hour_totals.fold()


@pytest.mark.usefixtures("march")
class TestRetention:
    def test_keeps_what_is_young(self) -> None:
        assert retention.newest(NOW) == Month(2026, 5)
        with pytest.raises(Refused, match="too young"):
            retention.archive(Month(2026, 6), by="x", now=NOW, dry_run=False)

    def test_keeps_what_was_never_closed(self) -> None:
        with pytest.raises(Refused, match="never closed"):
            retention.archive(MARCH, by="x", now=NOW, dry_run=False)
        assert retention.due(NOW) == []

    def test_keeps_what_the_next_run_may_still_bill(self) -> None:
        factories.close(MARCH, despite=WHY)
        assert retention.due(NOW) == [MARCH]
        with audit.acting(factories.ACTOR):
            RunAccount.objects.update(outcome="held", reason="a person must look")
        assert "not settled" in retention.objection(MARCH, now=NOW)

    def test_moves_what_is_old_and_billed(self, capsys: pytest.CaptureFixture[str]) -> None:
        factories.close(MARCH, despite=WHY)
        call_command("archive_usage", "2026-03", "--dry-run")
        assert "would be written" in capsys.readouterr().out and Event.objects.filter(event_id="m").exists()
        call_command("archive_usage", "--due")
        assert "stay in the store" in capsys.readouterr().out and not Event.objects.filter(event_id="m").exists()
        call_command("archive_usage", "--due")
        assert "No month is due" in capsys.readouterr().out
        assert call_command("verify") is None
        call_command("restore_usage", "2026-03")
        assert Event.objects.filter(event_id="m").exists() and MonthArchive.objects.get().state == "restored"

    def test_rates_no_archived_month_anew(self) -> None:
        factories.close(MARCH, despite=WHY)
        call_command("archive_usage", "2026-03")
        with pytest.raises(VaultError, match="restore_usage 2026-03"):
            call_command("rerate", "2026-03")

    def test_says_of_a_line_where_its_events_are(self) -> None:
        factories.close(MARCH, despite=WHY)
        lines = InvoiceLine.objects.select_related("invoice__account", "price__product", "adjusts")
        line = lines.get(product="requests")
        assert explaining.as_json(explaining.explain(line))["events_archived"] == []
        call_command("archive_usage", "2026-03")
        assert explaining.as_json(explaining.explain(line))["events_archived"] == ["2026-03"]
        assert ("Events", "archived: manage.py read_archive 2026-03") in explaining.explain(line).facts
        kind = stretches.Kind(line.app, "requests", "requests", "")
        cutoff = line.invoice.run.cutoff if line.invoice.run else NOW
        with pytest.raises(VaultError, match="restore_usage 2026-03"):
            behind.pieces("acme", kind, MARCH.span, cutoff=cutoff)
        ran = stretches.Kind("shop", "standard-1x", "duration", "")
        assert len(behind.pieces("acme", ran, MARCH.span, cutoff=cutoff)) == 1

    @pytest.mark.parametrize("arguments", [[], ["2026-03", "--due"], ["March"]])
    def test_asks_for_one_month_or_all(self, arguments: list[str]) -> None:
        with pytest.raises(VaultError):
            call_command("archive_usage", *arguments)
