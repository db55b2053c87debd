"""The navigation shows each role its own doors and nobody else's."""

from types import SimpleNamespace

import pytest

from accounts.permissions import CAPABILITIES
from vault import navigation


def person(role: str, active: bool = True) -> SimpleNamespace:
    return SimpleNamespace(role=role, is_active=active)


def labels(role: str, path: str = "/") -> list[str]:
    return [entry.label for group in navigation.navigation(person(role), path).groups for entry in group.entries]


def current(path: str, role: str = "finance") -> list[str]:
    groups = navigation.navigation(person(role), path).groups
    return [entry.label for group in groups for entry in group.entries if entry.current]


def test_every_need_is_a_capability_that_exists() -> None:
    known = frozenset().union(*CAPABILITIES.values())
    assert {need for group in navigation.STAFF for entry in group.entries for need in entry.needs} <= known


def test_finance_sees_every_door() -> None:
    assert len(labels("finance")) == sum(len(group.entries) for group in navigation.STAFF)


def test_support_sees_neither_runs_nor_audit() -> None:
    assert "Accounts" in labels("support") and not {"Runs", "Audit"} & set(labels("support"))


@pytest.mark.parametrize("somebody", [person(""), person("finance", active=False), None])
def test_whoever_does_not_work_here_sees_only_the_portal(somebody: object) -> None:
    found = navigation.navigation(somebody, "/")
    assert found.home == "/portal/" and [group for group in found.groups if group.label] == []


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("/", "Home"),
        ("/invoices/", "Invoices"),
        ("/invoices/VLT-2026-000001/", "Invoices"),
        ("/usage/problems/?age=3", "Usage problems"),
        ("/portal/invoices/7/", "Invoices"),
        ("/portal/", "Overview"),
    ],
)
def test_marks_the_entry_one_is_under(path: str, label: str) -> None:
    assert current(path) == [label]


def test_marks_nothing_elsewhere() -> None:
    assert current("/password/") == []
