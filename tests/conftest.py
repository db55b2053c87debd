"""What every test stands on: its own folders, databases that are copies, and real processes when it asks for them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker, Settings

from tests import databases
from tests.world import World

pytest_plugins = ["tests.browser"]  # once for all: a process can keep one browser's event loop


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--minutes", type=float, default=0.4, help="how long tests that kill go on killing (default: 0.4)")
    parser.addoption("--stories", type=int, default=60, help="how many the witness of seconds is told (default: 60)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test with real processes needs the test database's untouched copy, and counts as slow."""
    for item in items:
        if "world" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.django_db)
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Keep an untouched copy of each migrated test database, and restore from it instead of emptying tables."""
    with django_db_blocker.unblock():
        aliases = [alias for alias in connections if connections[alias].settings_dict["NAME"].startswith("test_")]
        for alias in aliases:
            databases.keep_untouched(alias)

        def restore(case: TransactionTestCase) -> None:
            for alias in case._databases_names(include_mirrors=False):
                databases.restore(alias)

        emptying, TransactionTestCase._fixture_teardown = TransactionTestCase._fixture_teardown, restore
    yield
    TransactionTestCase._fixture_teardown = emptying
    with django_db_blocker.unblock():
        for alias in aliases:
            databases.drop(alias, databases.template(connections[alias].settings_dict["NAME"]))


@pytest.fixture(autouse=True)
def own_folders(settings: Settings, tmp_path: Path) -> None:
    """Let no test write documents, mail or the sandbox's journal where a running Vault keeps its own."""
    settings.HOME = tmp_path
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.EMAIL_FILE_PATH = tmp_path / "outbox"
    settings.SANDBOX_JOURNAL = tmp_path / "sandbox-gateway.sqlite3"
    settings.PID_DIRECTORY = tmp_path / "pids"


@pytest.fixture
def world(db: None, django_db_blocker: DjangoDbBlocker, tmp_path: Path) -> Iterator[World]:
    """A migrated database and a VAULT_HOME of their own for processes that the test starts, kills and asks."""
    with django_db_blocker.unblock():
        name = f"{connections['default'].settings_dict['NAME']}_world"
        databases.copy("default", databases.template(connections["default"].settings_dict["NAME"]), name)
        made = World(home=tmp_path / "home", database_url=databases.url("default", name))
        yield made
        made.end()
        databases.drop("default", name)
