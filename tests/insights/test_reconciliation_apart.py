"""The five columns when the usage store is a database of its own: each side is asked where it lives."""

import json
from pathlib import Path
from typing import Any

from tests.usage.factories import measured, opened
from tests.usage.test_manifests import manifest
from tests.usage.test_own_database import elsewhere
from tests.world import World

__all__ = ["elsewhere"]

ASK = """
from accounts.models import Account
from core import audit, clock
from core.periods import Month
from insights import reconciliation
from usage import hour_totals, manifests, pairing, watermark
from usage.models import Source
with audit.acting("system:test"):
    Account.objects.create(code="acme", name="Acme", country="US")
source = Source.objects.get()
manifests.state_all(source, manifests.read(SAID))
pairing.drain()
for _ in range(2):
    now = clock.database_now("usage")
    found = reconciliation.reconcile([source], Month(2026, 10).span, now=now)
    kinds = sorted(difference.kind for row in found.rows for difference in row.differences)
    print([column.events for column in found.totals.values()], kinds)
    print(watermark.of(source, now=now).until)
    hour_totals.fold()
"""


def test_each_column_is_asked_where_it_lives(world: World, elsewhere: str, tmp_path: Path) -> None:
    file = tmp_path / "usage.ndjson"
    file.write_text("\n".join(map(json.dumps, [opened(0, id="o", account="acme"), measured(0.5, "2.5", id="m")])))
    said = manifest(["o", "m"], {"duration": {"opens": 1}, "requests": {"measured": 1, "quantity": "2.5"}})
    apart: Any = {"USAGE_DATABASE_URL": elsewhere}
    world.manage("create_source", "dynos", **apart)
    world.manage("import_usage", str(file), "--source", "dynos", **apart)
    asked = world.manage("shell", "--no-imports", "-c", ASK.replace("SAID", repr(json.dumps(said).encode())), **apart)
    columns = "[2, 2, 2, 1, 0] ['month_open', 'unpriced']"  # no product is called requests
    assert asked.stdout.splitlines() == [columns, "2026-10-01 01:00:00+00:00"] * 2
