"""A repeat is answered with what the first was answered, to the letter, and never with a secret."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from core import answers
from core.api import idempotency
from core.api.idempotency import KeyInFlight, KeyReused
from core.errors import Conflict
from core.models import IdempotencyKey

pytestmark = pytest.mark.django_db


def ask(answer: Any, key: str = "k", n: int = 1, **how: Any) -> Response:
    """Send one write whose work answers ``answer``, or does it; its second time is a repeat."""
    asked = APIRequestFactory().post("/x", {"n": n}, format="json", headers={"Idempotency-Key": key})
    request = Request(asked, parsers=[JSONParser()])
    request.user = SimpleNamespace(actor="key:abc")  # type: ignore[assignment]
    work = answer if callable(answer) else lambda: Response(answer, status=201)
    return idempotency.once(request, work, **how)


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


class TestWorkThatCommitsItself:
    APART: Any = {"commits_itself": True}

    @pytest.mark.django_db(transaction=True)
    def test_has_no_transaction_around_it_and_its_key_is_reserved(self) -> None:
        def work() -> Response:
            assert not connection.in_atomic_block
            assert IdempotencyKey.objects.get().status == idempotency.UNDER_WAY
            with pytest.raises(KeyInFlight):
                ask({}, **self.APART)
            with pytest.raises(KeyReused):
                ask({}, n=2, **self.APART)
            return Response({"n": 1}, status=201)

        first, again = ask(work, **self.APART), ask({"n": 2}, **self.APART)
        assert (first.data, again.data, again.status_code) == ({"n": 1}, {"n": 1}, 201)
        assert again.headers["Idempotency-Replayed"] == "true"

    def test_lets_its_key_go_when_it_fails(self) -> None:
        def work() -> Response:
            raise Conflict("not now")

        with pytest.raises(Conflict, match="not now"):
            ask(work, **self.APART)
        assert ask({"n": 1}, **self.APART).data == {"n": 1}

    def test_that_died_is_under_way_until_its_reservation_ends(self) -> None:
        ask({"n": 1}, **self.APART)
        IdempotencyKey.objects.update(status=idempotency.UNDER_WAY, body={})
        with pytest.raises(KeyInFlight):
            ask({"n": 2}, **self.APART)
        IdempotencyKey.objects.update(created_at=datetime.now(UTC) - idempotency.RESERVED)
        assert ask({"n": 2}, **self.APART).data == {"n": 2}
        assert ask({"n": 3}, **self.APART).data == {"n": 2}

    def test_that_came_back_too_late_does_not_write_over_another(self) -> None:
        def slow() -> Response:
            IdempotencyKey.objects.update(created_at=datetime.now(UTC) - idempotency.RESERVED)
            ask({"n": "other"}, **self.APART)
            return Response({"n": "slow"})

        ask(slow, **self.APART)
        assert ask({}, **self.APART).data == {"n": "other"}


def test_answers_are_forgotten_after_thirty_days() -> None:
    ask({}, "old"), ask({}, "new")
    old = datetime.now(UTC) - answers.KEPT
    IdempotencyKey.objects.filter(key="old").update(created_at=old)
    IdempotencyKey.objects.filter(key="new").update(created_at=old + timedelta(minutes=1))
    assert [answers.forget_old(), answers.forget_old()] == [1, 0]
    assert [row.key for row in IdempotencyKey.objects.all()] == ["new"]
