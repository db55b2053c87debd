"""A correction when the usage store is a database of its own: made there, its money told by the books."""

import json
from pathlib import Path
from typing import Any

from tests.usage.factories import opened
from tests.usage.test_own_database import elsewhere
from tests.world import World

__all__ = ["elsewhere"]

ASK = """
from accounts.models import Account
from core import audit
from core.fields import moment
from insights import moving
from usage import restating
from usage.amending import Amending, Correction
from usage.models import Amendment, Event
with audit.acting("system:test"):
    Account.objects.create(code="acme", name="Acme", country="US")
start, end = moment("2026-10-16T12:00:00Z", "start"), moment("2026-10-16T13:00:00Z", "end")
events = restating.events("r1", [{"type": "close", "time": "2026-10-16T12:00:00Z", "product": "standard-1x"}])
change = Amending([Correction("r1", start, end, events)], "lost")
moved = moving.preview(change, actor="user:olga@example.com")
print([(str(m.month), str(m.before), str(m.after)) for m in moved.movements][0], Amendment.objects.count())
moving.carry_out(change, actor="user:olga@example.com", token=moved.token)
print(Amendment.objects.count(), Event.objects.filter(amendment__isnull=False).count())
"""


def test_is_made_in_the_store_and_rated_in_the_books(world: World, elsewhere: str, tmp_path: Path) -> None:
    file = tmp_path / "usage.ndjson"
    file.write_text(json.dumps(opened(0, account="acme")))
    apart: Any = {"USAGE_DATABASE_URL": elsewhere}
    world.manage("create_source", "dynos", **apart)
    world.manage("import_usage", str(file), "--source", "dynos", **apart)
    said = world.manage("shell", "--no-imports", "-c", ASK, **apart).stdout.splitlines()
    assert said == ["('2026-10', '25.00', '12.50') 0", "1 1"]
    assert world.value("select count(*) from usage_amendment") == 0, "nothing of it is in the books' database"
