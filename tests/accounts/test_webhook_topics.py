"""What is offered is told: a program that waits for a topic nobody tells would wait for ever."""

import ast
import re
from pathlib import Path

from accounts.webhooks import topics

ROOT = Path(__file__).resolve().parents[2]
TELLERS = ("billing", "collections_")


def imported() -> set[str]:
    """Return the topics that the modules which tell news name."""
    trees = (ast.parse(path.read_text()) for room in TELLERS for path in (ROOT / room).rglob("*.py"))
    imports = (n for tree in trees for n in ast.walk(tree) if isinstance(n, ast.ImportFrom))
    names = [a.name for one in imports if one.module == topics.__name__ for a in one.names]
    return {getattr(topics, name) for name in names}


def test_every_topic_that_is_offered_is_told_and_no_other() -> None:
    assert imported() == set(topics.TOPICS)


def test_the_page_for_programmers_lists_them() -> None:
    table = re.findall(r"^\| (`.*?) \|", (ROOT / "docs" / "webhooks.md").read_text(), re.MULTILINE)
    assert set(re.findall(r"`([a-z_.]+)`", " ".join(table))) == set(topics.TOPICS)
