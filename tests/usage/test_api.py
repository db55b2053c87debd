"""The intake over HTTP: whatever is sent gets an answer that says what to do, and never a 500."""

import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings as settings_now
from django.db import OperationalError
from django.test import Client, override_settings
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import minting
from accounts.models import Role, User
from core.audit import acting
from tests.usage.factories import hour, measured, opened, report, source, written
from usage import middleware, sources
from usage.api import body
from usage.models import Event, Ownership, Source

pytestmark = pytest.mark.django_db
EVENTS = "/api/v1/usage/events"
Post = Callable[..., Any]


@pytest.fixture
def secret(db: None) -> str:
    return sources.create("dynos", actor="user:olga@example.com", past_days=3650)[1].text


@pytest.fixture
def post(secret: str) -> Post:
    client = Client(headers={"Authorization": f"Bearer {secret}"}, raise_request_exception=False)

    def send(content: Any, url: str = EVENTS, kind: str = "application/json", **headers: str) -> Any:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        return client.post(url, data, content_type=kind, headers=headers)

    return send


class TestAnswers:
    def test_200_when_all_are_stored(self, post: Post) -> None:
        answer = post([opened(0), opened(0)])
        assert answer.status_code == 200
        assert answer.json() == {"accepted": 1, "duplicate": 1, "conflict": 0, "rejected": 0, "errors": []}

    def test_207_when_some_are_not(self, post: Post) -> None:
        answer = post([opened(0), {"id": "x", "type": "open"}])
        assert answer.status_code == 207
        assert answer.json() == {
            "accepted": 1, "duplicate": 0, "conflict": 0, "rejected": 1,
            "errors": [{"index": 1, "id": "x", "code": "missing_field", "field": "time", "detail": "time is missing."}],
        }  # fmt: skip

    def test_400_when_the_body_cannot_be_read(self, post: Post) -> None:
        answer = post(b"[{")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_json")
        assert answer.headers["Content-Type"] == "application/problem+json"

    def test_503_when_the_store_cannot_be_reached(self, post: Post) -> None:
        with patch("usage.intake.accept", side_effect=OperationalError("lock timeout")):
            answer = post([opened(0)])
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")

    def test_all_or_nothing_on_demand(self, post: Post) -> None:
        assert post([opened(0), {}], url=f"{EVENTS}?atomic=true").json()["accepted"] == 0
        assert not Event.objects.exists()


class TestForms:
    def test_lines_gzip_and_cloud_events(self, post: Post) -> None:
        lines = b"\n".join(json.dumps(opened(n, f"l{n}")).encode() for n in range(3))
        assert post(lines, kind="application/x-ndjson").json()["accepted"] == 3
        zipped = gzip.compress(json.dumps([opened(0, "z")]).encode())
        assert post(zipped, **{"Content-Encoding": "gzip"}).json()["accepted"] == 1
        assert post(zipped + gzip.compress(b" "), **{"Content-Encoding": "gzip"}).json()["duplicate"] == 1
        cloud = {"specversion": "1.0", "id": "c1", "source": "/x", "type": "dyno.open", "subject": "c",
                 "time": written(hour(0)), "data": {"product": "p"}}  # fmt: skip
        assert post(cloud, kind="application/cloudevents+json").json()["accepted"] == 1
        assert post([cloud], kind="application/cloudevents-batch+json").json()["duplicate"] == 1
        headers = {f"ce-{name}": str(value) for name, value in cloud.items() if name != "data"}
        assert post(cloud["data"], **headers).json()["duplicate"] == 1


class TestLimits:
    def test_of_bytes_hold_before_anything_is_read(self, post: Post) -> None:
        answer = post(b" " * (body.LONGEST + 1))
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")

    def test_of_bytes_hold_after_unpacking(self, post: Post) -> None:
        answer = post(gzip.compress(b"[" + b" " * 200_000_000), **{"Content-Encoding": "gzip"})
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")

    def test_of_events(self, post: Post) -> None:
        assert post([{}] * 10_001).status_code == 413

    @pytest.mark.parametrize(
        ("content", "encoding", "status"),
        [(b"x", "gzip", 400), (gzip.compress(b"[]", mtime=0)[:9], "gzip", 400), (b"[]", "br", 415)],
    )
    def test_of_encodings(self, post: Post, content: bytes, encoding: str, status: int) -> None:
        assert post(content, **{"Content-Encoding": encoding}).status_code == status


class TestCredentials:
    @pytest.mark.parametrize("header", ["", "Bearer", "Bearer vs_x", "Basic eDp5", "Bearer vk_aaaaaaaaaa_" + "a" * 43])
    def test_that_are_none_are_refused(self, header: str) -> None:
        answer = Client().post(EVENTS, b"[]", content_type="application/json", headers={"Authorization": header})
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    def test_stand_for_the_whole_source(self, secret: str) -> None:
        known, stored = sources.authenticate(secret), Source.objects.get()
        assert known and [getattr(known, name) for name in sources.COLUMNS] == [
            getattr(stored, name) for name in sources.COLUMNS
        ]

    def test_overlap_while_one_replaces_the_other_and_end(self, post: Post) -> None:
        dynos = Source.objects.get()
        sources.rotate(dynos, actor="user:olga@example.com")
        assert post([]).status_code == 200
        sources.rotate(dynos, actor="user:olga@example.com", overlap=timedelta(0))
        assert post([]).status_code == 401

    def test_of_a_paused_source_are_refused_until_it_is_resumed(self, post: Post) -> None:
        dynos = Source.objects.get()
        sources.pause(dynos, actor="user:olga@example.com", reason="clock is wrong")
        assert (post([]).status_code, post([]).json()["code"]) == (403, "source_paused")
        sources.resume(dynos, actor="user:olga@example.com")
        assert post([]).status_code == 200


CORPUS: list[Any] = [
    b"", b"\0", b"\xff", b"[" * 100_000, b'{"a":' * 100_000, b"[NaN]", b"[1e999]", b"9" * 5000,
    b"[" + b"9" * 5000 + b"]", b'[{"id":"\\ud800"}]', b'[{"id":"\\u0000"}]', b'{"events":5}', b'{"events":[],"x":1}',
    b'{"events":[{}],"events":[]}', "\ufeff[]".encode(), "[]".encode("utf-16"), "[]".encode("utf-32"), [[]], [None], {},
    [{"id": {}}], [{"id": ["x"]}],
    [opened(0) | {"time": "9999-12-31T23:59:59.999999-23:59"}], [opened(0) | {"time": "0001-01-01T00:00:00+23:59"}],
    [measured(0, "1e-999")], [measured(0, "9" * 5000)], [measured(0, -1)], [opened(0, "x" * 5000)],
    [{"specversion": "1.0", "data": {"product": {}}}], [{"specversion": {}}], [{"x" * 100_000: 1}], [{"\0": 1}],
    [{"\ud800": 1}], [{}] * 300,
]  # fmt: skip


@pytest.mark.parametrize("content", CORPUS, ids=lambda content: str(content)[:25].replace("\0", "NUL"))
@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson", "text/plain"])
def test_nothing_malformed_is_ever_a_500(post: Post, content: Any, kind: str) -> None:
    answer = post(content, kind=kind)
    assert answer.status_code in (200, 207, 400, 413)
    assert not Event.objects.exists()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
nearly = st.fixed_dictionaries({}, optional={name: json_values for name in opened(0)} | {"quantity": json_values})


@given(st.lists(nearly.map(lambda odd: opened(0) | odd), max_size=3), st.booleans())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_nearly_right_is_ever_a_500(post: Post, events: list[Any], atomic: bool) -> None:
    answer = post(events, url=f"{EVENTS}?atomic={str(atomic).lower()}")
    assert answer.status_code in (200, 207)
    said = answer.json()
    assert said["accepted"] + said["duplicate"] + said["conflict"] + said["rejected"] == len(events)


class TestReading:
    @pytest.fixture
    def staff(self, db: None) -> Client:
        with acting("system:test"):
            olga = User.objects.create_user("olga@example.com", role=Role.OPERATOR)
        key = minting.for_staff(olga, ["usage:read", "usage:write"], actor="user:olga@example.com")
        return Client(headers={"Authorization": f"Bearer {key.text}"})

    def test_lists_events_by_cursor(self, staff: Client) -> None:
        report(source("dynos"), [opened(n, f"r{n}", app="shop") for n in range(5)] + [measured(1, "1.50", "m")])
        first = staff.get(EVENTS, {"limit": 4}).json()
        rest = staff.get(first["next"]).json()
        assert [row["quantity"] for row in first["results"] + rest["results"] if row["type"] == "measured"] == ["1.5"]
        assert len(first["results"]) == 4 and len(rest["results"]) == 2 and rest["next"] is None

    @pytest.mark.parametrize(
        ("asked", "count"),
        [({"resource": "r1"}, 1), ({"app": "shop"}, 5), ({"type": "measured"}, 1), ({"source": "other"}, 0),
         ({"from": written(hour(3))}, 2), ({"to": written(hour(3))}, 4), ({"event_id": "nope"}, 0)],
    )  # fmt: skip
    def test_filters(self, staff: Client, asked: dict[str, str], count: int) -> None:
        report(source("dynos"), [opened(n, f"r{n}", app="shop") for n in range(5)] + [measured(1, 1, "m")])
        assert len(staff.get(EVENTS, asked).json()["results"]) == count

    @pytest.mark.parametrize("asked", [{"type": "start"}, {"from": "yesterday"}, {"resource": "a\0"}])
    def test_says_which_filter_it_cannot_read(self, staff: Client, asked: dict[str, str]) -> None:
        answer = staff.get(EVENTS, asked)
        assert (answer.status_code, answer.json()["field"]) == (400, next(iter(asked)))

    def test_a_source_sees_nothing(self, secret: str) -> None:
        assert Client(headers={"Authorization": f"Bearer {secret}"}).get(EVENTS).status_code == 401


class TestOwnerships:
    PUT = {"account": "acme", "resource": "r1", "start": "2026-10-01T00:00:00Z"}

    def put(self, secret: str, said: dict[str, Any], name: str = "own-1") -> Any:
        client = Client(headers={"Authorization": f"Bearer {secret}"})
        return client.put(f"/api/v1/usage/ownerships/{name}", said, content_type="application/json")

    def test_are_put_once(self, secret: str) -> None:
        assert [self.put(secret, self.PUT).status_code for _ in range(3)] == [201, 200, 200]
        assert self.put(secret, self.PUT | {"account": "bob"}).status_code == 409
        overlap = self.put(secret, self.PUT | {"account": "bob"}, "own-2")
        assert (overlap.status_code, overlap.json()["code"]) == (409, "already_owned")
        assert Ownership.objects.get().recorded_by == "source:dynos"

    @pytest.mark.parametrize(
        ("change", "field"),
        [({"start": "soon"}, "start"), ({"account": ""}, "account"), ({"account": 5}, "account"), ({"x": 1}, "x"),
         ({"end": "2026-09-01T00:00:00Z"}, "end"), ({"resource": ""}, "resource"),
         ({"resource": "r" * 201}, "resource"), ({"account": "a" * 201}, "account"),
         ({"app": "a" * 201}, "app"), ({"account": "a\0"}, "account"), ({"resource": "\ud800"}, "resource")],
    )  # fmt: skip
    def test_that_are_wrong_name_the_field(self, secret: str, change: dict[str, Any], field: str) -> None:
        answer = self.put(secret, self.PUT | change)
        assert (answer.status_code, answer.json()["field"]) == (400, field)

    def test_are_transferred_in_one_call(self, post: Post, secret: str) -> None:
        post([opened(0, account="acme", app="shop")])
        said = {"app": "shop", "from": "acme", "to": "bob", "at": written(hour(5))}
        first, second = post(said, url="/api/v1/usage/transfers"), post(said, url="/api/v1/usage/transfers")
        assert first.status_code == 200 and first.json() == second.json()
        assert first.json()["resources"] == 1
        assert post(said | {"from": "eve"}, url="/api/v1/usage/transfers").status_code == 404

    @pytest.mark.parametrize(
        ("field", "text"), [("to", ""), ("to", "b" * 201), ("to", "\0"), ("from", "\ud800"), ("app", "\0")]
    )
    def test_are_not_transferred_to_what_is_no_name(self, post: Post, field: str, text: str) -> None:
        post([opened(0, account="acme", app="shop")])
        said = {"app": "shop", "from": "acme", "to": "bob", "at": written(hour(5))} | {field: text}
        answer = post(said, url="/api/v1/usage/transfers")
        assert (answer.status_code, answer.json()["field"]) == (400, field)

    def test_have_an_id_that_is_text(self, secret: str) -> None:
        assert self.put(secret, self.PUT, "own%00").status_code == 400

    def test_a_heartbeat_says_that_a_source_is_alive(self, post: Post) -> None:
        assert post({}, url="/api/v1/usage/heartbeats").status_code == 200
        assert Source.objects.get().last_heartbeat_at is not None


class TestTheShortWayIn:
    def test_is_the_address_that_the_api_has(self) -> None:
        assert reverse("api_usage_events") == middleware.EVENTS

    def test_keeps_what_every_answer_has(self, post: Post) -> None:
        answer = post([], **{"X-Request-Id": "traced-0001"})
        assert answer.headers["X-Request-Id"] == "traced-0001"
        assert answer.headers["Cache-Control"] == "no-store, private"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"

    @override_settings(SECURE_SSL_REDIRECT=True)
    def test_takes_no_secret_without_encryption_where_that_is_asked_for(self, post: Post) -> None:
        assert post([opened(0)]).status_code == 301
        assert not Event.objects.exists()

    def test_answers_as_the_long_way_does(self, secret: str) -> None:
        """The view behind it is the same; whoever takes the middleware away loses speed and nothing else."""
        without = [name for name in settings_now.MIDDLEWARE if "IntakeMiddleware" not in name]
        client, said = Client(headers={"Authorization": f"Bearer {secret}"}), json.dumps([opened(0), {}])
        with override_settings(MIDDLEWARE=without):
            long = Client(headers={"Authorization": f"Bearer {secret}"}).post(EVENTS, said, "application/json")
        short = client.post(EVENTS, said, "application/json")
        assert (long.status_code, short.status_code) == (207, 207)
        assert long.json() | {"accepted": 0, "duplicate": 1} == short.json()
