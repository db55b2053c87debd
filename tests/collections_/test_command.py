"""manage.py run_collections: what a person and a program read, and what a mistake says."""

import json

from tests.world import World

SETUP = """
from tests.collections_ import factories
for token in ('tok_ok', 'tok_insufficient_funds'):
    owner = factories.account(token)
    factories.card(owner, token)
    factories.invoice(owner)
"""


def test_tells_people_and_programs_what_the_day_came_to(world: World) -> None:
    world.manage("shell", "-v0", "-c", SETUP)
    first = json.loads(world.manage("run_collections", "--as-of", "2026-11-02", "--json").stdout)
    assert (first["charged"], first["succeeded"], first["declined"]) == (2, 1, 1)
    assert (first["collected"], first["past_due"]) == ({"USD": "75.85"}, {})
    assert json.loads(world.manage("run_collections", "--as-of", "2026-11-02", "--json").stdout) == first
    text = world.manage("run_collections", "--as-of", "2026-11-03").stdout
    assert "1 opened, 0 closed" in text
    assert "75.85 USD on 1 invoices" in text
    world.manage("verify")


def test_says_what_is_wrong_with_a_day(world: World) -> None:
    done = world.manage("run_collections", "--as-of", "3.11.2026", check=False)
    assert (done.returncode, done.stderr) == (
        1,
        "vault: '3.11.2026' is not a day; write it as YYYY-MM-DD, for example 2026-11-02\n",
    )
