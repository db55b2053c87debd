"""Keys of accounts and of staff, and a program that calls with them."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.test import Client

from accounts import minting
from accounts.authentication import ACCOUNT_SCOPES, SCOPES
from accounts.models import Account, User
from core.audit import acting
from tests.factories import ACTOR

CAST = {
    "ada": "finance",
    "grace": "finance",
    "sam": "support",
    "omar": "operator",
    "iris": "auditor",
    "cleo": "collections",
}
KeyOf = Callable[..., str]


@pytest.fixture
def key_of(db: None) -> KeyOf:
    """Return a key of a member of staff (by first name) or of an account; of every scope unless said."""

    def mint(owner: str | Account, scopes: Sequence[str] = ()) -> str:
        if isinstance(owner, Account):
            return minting.for_account(owner, scopes or ACCOUNT_SCOPES, actor=ACTOR).text
        with acting(ACTOR):
            user, _ = User.objects.get_or_create(email=f"{owner}@example.com", defaults={"role": CAST[owner]})
        return minting.for_staff(user, scopes or SCOPES, actor=ACTOR).text

    return mint


def call(method: str, path: str, key: str, body: Any = None, **headers: str) -> Any:
    """Send a request as a program does; a ``str`` body is sent as it is."""
    client = Client(headers={"Authorization": f"Bearer {key}"} | headers)
    if method == "get":
        return client.get(f"/api/v1{path}")
    sent = body if isinstance(body, str) else json.dumps(body)
    return getattr(client, method)(f"/api/v1{path}", sent, "application/json")
