"""Test databases by copying: a migrated template is copied in a tenth of a second, with its rows and triggers.

Django would empty the tables instead, which our append-only tables refuse and which loses what migrations put in.
"""

from typing import Any
from urllib.parse import quote

import psycopg
from django.db import connections
from psycopg import sql


def template(name: str) -> str:
    """Return the name of the untouched copy of test database ``name``."""
    return f"{name}_untouched"


def keep_untouched(alias: str) -> None:
    """Copy the freshly migrated test database of ``alias``, so that it can be restored and multiplied."""
    name = _name(alias)
    connections[alias].close()
    copy(alias, name, template(name))


def restore(alias: str) -> None:
    """Put the test database of ``alias`` back to what it was after the migrations; ends its sessions."""
    name = _name(alias)
    connections[alias].close()
    copy(alias, template(name), name)


def copy(alias: str, source: str, target: str) -> None:
    """Replace database ``target`` by a copy of ``source``."""
    drop(alias, target)
    with _server(alias) as connection:
        connection.execute(
            sql.SQL("create database {} template {}").format(sql.Identifier(target), sql.Identifier(source))
        )


def drop(alias: str, name: str) -> None:
    """Drop a test database, whoever is connected to it.

    Not ``with (force)``: it would also end autovacuum's worker, which a role that is no superuser may not. Without
    it the server sends that worker away itself and waits some seconds for the sessions that were ended here.
    """
    with _server(alias) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s and usename = current_user",
            [name],
        )
        connection.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(name)))


def url(alias: str, name: str) -> str:
    """Return the URL of database ``name`` on the server of ``alias``, for a process that is started by a test."""
    parameters = _parameters(alias)
    host, port = quote(str(parameters.get("host", "")), safe=""), parameters.get("port", "") or 5432
    user, password = quote(parameters.get("user", "")), quote(parameters.get("password", ""))
    return f"postgres://{user}:{password}@/{name}?host={host}&port={port}"


def _name(alias: str) -> str:
    name = str(connections[alias].settings_dict["NAME"])
    if not name.startswith("test_"):
        raise RuntimeError(f"{name} is not a test database; mark the test with pytest.mark.django_db")
    return name


def _parameters(alias: str) -> dict[str, Any]:
    return connections[alias].get_connection_params()


def _server(alias: str) -> psycopg.Connection:
    """Connect to the server of ``alias``, beside its test databases."""
    connected = {key: value for key, value in _parameters(alias).items() if key in {"host", "port", "user", "password"}}
    return psycopg.connect(**connected, dbname="postgres", autocommit=True)
