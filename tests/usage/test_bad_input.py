"""What sources send by mistake or malice, over HTTP: each has its sentence, and never spoils what stands beside it."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.usage.factories import gauge, measured, opened
from usage import intake, sources
from usage.models import Event, EventKey, QuarantinedEvent, Unpaired

pytestmark = pytest.mark.django_db
EVENTS = "/api/v1/usage/events"
Post = Callable[..., Any]
GOOD = json.dumps(opened(0, "good"))


@pytest.fixture
def post(db: None) -> Post:
    secret = sources.create("dynos", actor="user:olga@example.com", past_days=3650)[1].text
    client = Client(headers={"Authorization": f"Bearer {secret}"}, raise_request_exception=False)

    def send(content: bytes, *, kind: str = "application/json", url: str = EVENTS, **headers: str) -> Any:
        return client.post(url, content, content_type=kind, headers=headers)

    return send


def bad(event: dict[str, Any], **change: Any) -> str:
    """An event with something wrong in it; a value that is bytes stands as it is, without quotes."""
    text = json.dumps(event | {name: f"<{name}>" if isinstance(to, bytes) else to for name, to in change.items()})
    for name, to in change.items():
        if isinstance(to, bytes):
            text = text.replace(f'"<{name}>"', to.decode())
    return text


MEASURED, OPENED = measured(0, 1, id="bad"), opened(0, id="bad")
WRONG = {
    "NaN": (bad(MEASURED, quantity=b"NaN"), "invalid_field", "quantity"),
    "NaN as text": (bad(MEASURED, quantity="NaN"), "invalid_field", "quantity"),
    "infinity": (bad(MEASURED, quantity=b"Infinity"), "invalid_field", "quantity"),
    "1e308": (bad(MEASURED, quantity=b"1e308"), "invalid_field", "quantity"),
    "1e999999": (bad(MEASURED, quantity=b"1e999999"), "invalid_field", "quantity"),
    "a quantity that is too fine": (bad(MEASURED, quantity="0.0000000000001"), "invalid_field", "quantity"),
    "a negative": (bad(MEASURED, quantity=b"-1"), "invalid_field", "quantity"),
    "a negative level": (bad(gauge(0, -1, id="bad")), "invalid_field", "quantity"),
    "a level of nothing": (bad(gauge(0, None, id="bad")), "missing_field", "quantity"),
    "ten thousand digits": (bad(MEASURED, quantity=b"9" * 10_000), "invalid_field", "quantity"),
    "a key twice": (OPENED_TWICE := bad(OPENED)[:-1] + ', "resource": "other"}', "duplicate_key", ""),
    "a key twice, spaced": (OPENED_TWICE.replace('"resource": ', '"resource" : '), "duplicate_key", ""),
    "a lone surrogate": (bad(OPENED, resource=b'"\\ud800"'), "invalid_field", "resource"),
    "a NUL": (bad(OPENED, product=b'"a\\u0000b"'), "invalid_field", "product"),
    "a long text": (bad(OPENED, app="x" * 201), "invalid_field", "app"),
    "a number for a text": (bad(OPENED, account=b"5"), "invalid_field", "account"),
    "an object for a text": (bad(OPENED, meter=b'{"a": [[]]}'), "invalid_field", "meter"),
    "a time without a zone": (bad(OPENED, time="2026-10-01T00:00:00"), "invalid_field", "time"),
    "a time that is none": (bad(OPENED, time="2026-02-30T00:00:00Z"), "invalid_field", "time"),
    "a time in the future": (bad(OPENED, time="2199-12-31T00:00:00Z"), "in_future", "time"),
    "a time long ago": (bad(OPENED, time="0001-01-01T00:00:00Z"), "too_old", "time"),
    "an unknown field": (bad(OPENED, acount="x"), "unknown_field", "acount"),
    "an unknown type": (bad(OPENED, type="start"), "unknown_type", "type"),
    "no event": ("[1]", "invalid_event", ""),
}


@pytest.mark.parametrize(("text", "code", "field"), WRONG.values(), ids=list(WRONG))
@pytest.mark.parametrize("form", ["array", "lines", "gzip"])
def test_a_bad_event_is_named_and_kept_and_the_others_are_stored(
    post: Post, text: str, code: str, field: str, form: str
) -> None:
    array = f"[{GOOD}, {text}]".encode()
    said = {
        "array": lambda: post(array),
        "lines": lambda: post(f"{GOOD}\n{text}\n".encode(), kind="application/x-ndjson"),
        "gzip": lambda: post(gzip.compress(array), **{"Content-Encoding": "gzip"}),
    }[form]()
    answer = said.json()
    assert (said.status_code, answer["accepted"], answer["rejected"]) == (207, 1, 1)
    (error,) = answer["errors"]
    assert (error["index"], error["code"], error["field"]) == (1, code, field) and error["detail"].endswith(".")
    assert Event.objects.get().resource == "good"
    assert QuarantinedEvent.objects.get().code == code


@pytest.mark.parametrize("text", [text for text, *_ in WRONG.values()], ids=list(WRONG))
def test_all_or_nothing_stores_nothing_of_it(post: Post, text: str) -> None:
    said = post(f"[{GOOD}, {text}]".encode(), url=f"{EVENTS}?atomic=true")
    assert (said.status_code, said.json()["accepted"], said.json()["rejected"]) == (207, 0, 2)
    assert said.json()["errors"][0]["code"] == "batch_refused"
    for table in (Event, EventKey, Unpaired, QuarantinedEvent):
        assert not table.objects.exists()  # type: ignore[attr-defined]


BROKEN = {
    "broken": b"[{",
    "nothing": b"",
    "deep nesting": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "UTF-16": "[]".encode("utf-16"),
    "no UTF-8": b'[{"id": "\xff"}]',
    "a raw NUL": b"[\0]",
    "two arrays": b"[] []",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=list(BROKEN))
def test_a_body_that_cannot_be_read_is_one_sentence(post: Post, content: bytes) -> None:
    said = post(content)
    assert (said.status_code, said.json()["code"]) == (400, "invalid_json")
    assert said.headers["Content-Type"] == "application/problem+json" and said.json()["detail"]
    assert not Event.objects.exists() and not QuarantinedEvent.objects.exists()


def test_a_byte_order_mark_is_passed_over(post: Post) -> None:
    assert post(f"\ufeff[{GOOD}]".encode()).json()["accepted"] == 1
    assert post(f"\ufeff{GOOD}\n".encode(), kind="application/x-ndjson").json()["duplicate"] == 1
    assert post(gzip.compress(f"\ufeff[{GOOD}]".encode()), **{"Content-Encoding": "gzip"}).json()["duplicate"] == 1


def test_ten_thousand_times_the_same_is_one(post: Post) -> None:
    said = post(f"[{','.join([GOOD] * 10_000)}]".encode())
    assert (said.status_code, said.json()["accepted"], said.json()["duplicate"]) == (200, 1, 9_999)
    assert post(f"[{','.join([GOOD] * 10_000)}]".encode()).json()["duplicate"] == 10_000
    assert Event.objects.count() == EventKey.objects.count() == 1


def test_ten_thousand_bodies_for_one_id_are_one_event_and_conflicts(post: Post) -> None:
    many = [opened(0, f"r{n}", id="x") for n in range(1_000)]
    answer = post(json.dumps(many).encode()).json()
    assert (answer["accepted"], answer["conflict"]) == (1, 999)
    assert {error["code"] for error in answer["errors"]} == {"conflict"}
    assert QuarantinedEvent.objects.count() == 999


def test_a_conflict_refuses_a_whole_batch_when_that_is_asked(post: Post) -> None:
    post(f"[{GOOD}]".encode())
    other = json.dumps([opened(0, "good", app="other"), opened(1, "new")]).encode()
    answer = post(other, url=f"{EVENTS}?atomic=1").json()
    assert [error["code"] for error in answer["errors"]] == ["conflict", "batch_refused"]
    assert Event.objects.count() == 1


@pytest.mark.parametrize("depth", [1, 3])
def test_a_gzip_bomb_is_not_unpacked(post: Post, depth: int) -> None:
    packed = b"[" + b" " * 50_000_000
    for _ in range(depth):
        packed = gzip.compress(packed)
    said = post(packed, **{"Content-Encoding": "gzip"})
    assert (said.status_code, said.json()["code"]) == ((413, "body_too_large") if depth == 1 else (400, "invalid_json"))


@pytest.mark.parametrize(("raised", "status"), [(intake.Busy("Busy."), 503), (intake.NoPlace("No place."), 409)])
def test_what_the_store_cannot_do_now_is_a_sentence(
    post: Post, monkeypatch: pytest.MonkeyPatch, raised: Exception, status: int
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise raised

    monkeypatch.setattr(intake, "accept", fail)
    said = post(f"[{GOOD}]".encode())
    assert (said.status_code, said.json()["detail"]) == (status, str(raised))
    assert said.headers.get("Retry-After") == ("2" if status == 503 else None)
