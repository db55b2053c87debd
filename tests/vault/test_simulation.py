"""The simulated platform is the same for the same seed, and its events are ones the intake takes whole."""

from collections import Counter
from datetime import timedelta

import pytest
from django.core.management import call_command

from core import clock
from core.periods import Month
from tests import factories
from usage import completeness, cutoff, watermark
from usage.models import Source
from usage.watermark import Watermark
from vault.simulation import life, registering
from vault.simulation.tenants import Tenant, tenants

SEPTEMBER, OCTOBER = Month(2026, 9), Month(2026, 10)


def lived(tenant: Tenant, month: Month, **options: object) -> list[dict[str, object]]:
    return [dict(event) for event in life.month_of(tenant, month, seed=7, first=SEPTEMBER, **options)]  # type: ignore[arg-type]


class TestTenants:
    def test_the_same_seed_gives_the_same_people(self) -> None:
        assert tenants(50, seed=3) == tenants(50, seed=3)
        assert tenants(50, seed=3) != tenants(50, seed=4)

    def test_more_tenants_begin_with_the_same_ones(self) -> None:
        assert tenants(50, seed=3)[:20] == tenants(20, seed=3)

    def test_codes_are_unique_however_many(self) -> None:
        assert len({tenant.code for tenant in tenants(2000, seed=1)}) == 2000


class TestLife:
    def test_ids_are_unique_over_tenants_and_months(self) -> None:
        everybody = [tenant for tenant in tenants(40, seed=7)]
        ids = Counter(e["id"] for t in everybody for m in (SEPTEMBER, OCTOBER) for e in lived(t, m))
        assert [identifier for identifier, count in ids.items() if count > 1] == []

    def test_a_cut_month_is_the_beginning_of_the_whole(self) -> None:
        tenant = tenants(5, seed=7)[3]
        half = OCTOBER.start + timedelta(days=15)
        cut = lived(tenant, OCTOBER, until=half)
        assert cut == [e for e in lived(tenant, OCTOBER) if str(e["time"]) < half.isoformat()]


@pytest.mark.django_db
def test_a_simulated_month_is_taken_whole_and_contradicts_nothing() -> None:
    everybody = tenants(12, seed=7)
    assert registering.register(everybody, actor="system:test") == 12
    assert registering.register(everybody, actor="system:test") == 0
    factories.use(event for tenant in everybody for event in lived(tenant, SEPTEMBER))
    assert completeness.problems(SEPTEMBER.span, cutoff=cutoff.freeze()) == []
    assert completeness.unowned(SEPTEMBER.span, cutoff=cutoff.freeze()) == []


@pytest.mark.django_db
def test_it_states_every_hour_and_what_runs_before_it_sent() -> None:
    call_command("simulate", "--accounts", "3", "--months", "1")
    source, month = Source.objects.get(), Month.containing(clock.today()).previous
    assert watermark.of(source, now=clock.now()) == Watermark(month.end, "manifests")
    assert source.last_heartbeat_at is not None
    call_command("simulate", "--accounts", "2", "--months", "1", "--seed", "4")  # the same source, other events
    assert watermark.of(source, now=clock.now()).until == month.end
