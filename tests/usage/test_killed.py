"""kill -9 in the middle of intake and of pairing: what was acknowledged is there, what was not can be sent again."""

import json
from pathlib import Path

import pytest

from tests.usage.factories import closed, opened
from tests.world import World


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    events = [opened(n % 90, f"r{n}", account="acme", app="shop") for n in range(400)]
    events += [closed(n % 90 + 5, f"r{n}") for n in range(400)]
    file = tmp_path / "usage.ndjson"
    file.write_text("\n".join(map(json.dumps, events)))
    return file


def state(world: World) -> list[tuple[object, ...]]:
    return world.sql(
        "select e.event_id, i.opened, i.closed, o.account from usage_event e"
        " left join usage_interval i on i.superseded_at is null and e.id in (i.open_event_id, i.close_event_id)"
        " left join usage_ownership o on o.superseded_at is null and o.resource = e.resource order by 1"
    )


@pytest.mark.parametrize("point", ["intake.before_commit", "intake.after_commit", "pairing.before_commit"])
def test_an_import_that_is_killed_is_simply_run_again(world: World, lines: Path, point: str) -> None:
    world.manage("create_source", "dynos", "--past-days", "3650")
    killed = world.manage(
        "import_usage", str(lines), "--source", "dynos", check=False, VAULT_FAILPOINTS=f"{point}=kill"
    )
    assert killed.returncode == -9
    stored = world.value("select count(*) from usage_event")
    assert stored == (0 if point == "intake.before_commit" else 800)
    world.manage("import_usage", str(lines), "--source", "dynos")
    assert world.value("select count(*) from usage_unpaired") == 0
    assert world.value("select count(*) from usage_interval where superseded_at is null and closed is not null") == 400
    assert len(state(world)) == 800
    assert {account for *_, account in state(world)} == {"acme"}
