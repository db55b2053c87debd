"""The people of the pages' tests, and a way to be each of them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from core.audit import acting

As = Callable[[str], Client]
CAST = {"ada": "finance", "grace": "finance", "sam": "support", "omar": "operator", "iris": "auditor"}


@pytest.fixture
def people(request: pytest.FixtureRequest) -> dict[str, User]:
    """Staff by first name: Ada and Grace of finance, Sam of support, Omar operates, Iris audits."""
    request.getfixturevalue("transactional_db" if "live_server" in request.fixturenames else "db")
    with acting("system:test"):
        return {
            name: User.objects.create_user(f"{name}@example.com", None, name=name.title(), role=role)
            for name, role in CAST.items()
        }


@pytest.fixture
def as_(people: dict[str, User]) -> As:
    """Return a client signed in as one of the cast."""

    def signed_in(name: str) -> Client:
        client = Client()
        client.force_login(people[name], backend="django.contrib.auth.backends.ModelBackend")
        return client

    return signed_in


def text_of(answer: Any) -> str:
    """Return an answer's HTML with its white space squeezed, so that sentences can be found."""
    return " ".join(answer.content.decode().split())
