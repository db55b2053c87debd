"""A repeat is answered with what the first was answered, to the letter, and never with a secret."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from core.api import idempotency
from core.models import IdempotencyKey

pytestmark = pytest.mark.django_db


def ask(answer: Any, key: str = "k", **how: Any) -> Response:
    """Send one write whose work answers ``answer``; its second time is a repeat."""
    asked = APIRequestFactory().post("/x", {"n": 1}, format="json", headers={"Idempotency-Key": key})
    request = Request(asked, parsers=[JSONParser()])
    request.user = SimpleNamespace(actor="key:abc")  # type: ignore[assignment]
    return idempotency.once(request, lambda: Response(answer, status=201), **how)


def written(response: Response) -> Any:
    return json.loads(JSONRenderer().render(response.data))


def test_a_repeat_reads_as_the_first_did() -> None:
    answer = {
        "at": datetime(2026, 10, 1, 2, 3, 4, 500_000, tzinfo=UTC),
        "on": date(2026, 10, 1),
        "amount": Decimal("1.50"),
        "id": UUID(int=7),
        "lines": ({"amount": Decimal("0.10")},),
        "nothing": None,
    }
    first, again = ask(answer), ask({"done": "twice"})
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, written(again)) == (201, written(first))


def test_what_is_shown_once_is_neither_kept_nor_repeated() -> None:
    first, again = ask({"name": "n", "secret": "s3cr3t"}, shown_once=("secret",)), ask({}, shown_once=("secret",))
    assert written(first)["secret"] == "s3cr3t"
    assert written(again) == {"name": "n"}
    assert "s3cr3t" not in json.dumps(IdempotencyKey.objects.get().body)
