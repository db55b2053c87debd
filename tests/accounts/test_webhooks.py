"""News for programs: signed so that others can check it, told at least once, tried for days, told again on request."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django import Settings
from standardwebhooks import Webhook
from standardwebhooks.exceptions import WebhookVerificationError

from accounts.models import Account, WebhookDelivery, WebhookEndpoint, WebhookMessage, WebhookTry
from accounts.webhooks import delivering, endpoints
from accounts.webhooks.publishing import News, publish
from core import clock
from core.errors import Conflict, Invalid
from core.models import AuditEntry
from monitoring import invariants
from tests.factories import ACTOR, ADA, account

pytestmark = pytest.mark.django_db
TOPIC = "invoice.issued"


class Receiver(ThreadingHTTPServer):
    """A program that listens: it keeps what it was sent and answers as it was told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.answers: list[int] = []
        self.heard: list[tuple[dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook?shop=1"


class Answering(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
        status = server.answers.pop(0) if server.answers else 200
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(b"thanks\x00")

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def this_machine_may_listen(settings: Settings) -> None:
    settings.WEBHOOKS_PUBLIC_ONLY = False


@pytest.fixture
def acme() -> Account:
    return account("acme")


def say(owner: Account | None, key: str = "A-1", topic: str = TOPIC) -> int:
    return publish(topic, [News(key, owner.pk if owner else None, {"number": key, "name": "Žofie"})])


def due_again() -> None:
    """Let time pass until the next try of everything."""
    WebhookDelivery.objects.filter(state="ready").update(run_after=clock.now() - timedelta(seconds=1))


class TestTelling:
    def test_is_signed_so_that_the_receivers_library_agrees(self, receiver: Receiver, acme: Account) -> None:
        made = endpoints.add(acme, url=receiver.url, actor=ADA)
        assert (say(acme), delivering.deliver_waiting()) == (1, 1)
        headers, body = receiver.heard[0]
        said = Webhook(made.secret).verify(body, headers)
        assert (said["type"], said["data"]) == (TOPIC, {"number": "A-1", "name": "Žofie"})
        with pytest.raises(WebhookVerificationError):
            Webhook(made.secret).verify(body + b" ", headers)
        tried = WebhookTry.objects.get()
        assert (tried.status, tried.answer) == (200, "thanks ")

    def test_a_fact_is_told_once_however_often_it_is_said(self, receiver: Receiver, acme: Account) -> None:
        endpoints.add(acme, url=receiver.url, actor=ADA)
        assert [say(acme), say(acme)] == [1, 0]
        assert [delivering.deliver_waiting(), delivering.deliver_waiting()] == [1, 0]

    def test_is_heard_by_whom_it_concerns(self, receiver: Receiver, acme: Account) -> None:
        other = account("other")
        endpoints.add(other, url=receiver.url, actor=ADA)
        endpoints.add(None, url=receiver.url, topics=["account.suspended"], actor=ADA)
        everything = endpoints.add(None, url=receiver.url, actor=ADA)
        say(acme)
        assert [one.endpoint for one in WebhookDelivery.objects.all()] == [everything.endpoint]

    def test_is_nothing_when_nobody_listens(self, acme: Account) -> None:
        assert (say(acme), WebhookMessage.objects.count()) == (0, 0)

    def test_is_tried_again_in_the_same_words_and_given_up_after_days(self, receiver: Receiver, acme: Account) -> None:
        endpoints.add(acme, url=receiver.url, actor=ADA)
        receiver.answers = [500] * 30
        say(acme)
        waits = []
        for _ in range(12):
            delivering.deliver_waiting()
            delivery = WebhookDelivery.objects.get()
            if delivery.state == "ready":
                waits.append(round((delivery.run_after - clock.now()).total_seconds()))
            due_again()
        assert (delivery.state, delivery.attempts, delivery.last_error) == ("dead", 10, "It answered 500.")
        assert len(receiver.heard) == 10
        assert len({(headers["webhook-id"], body) for headers, body in receiver.heard}) == 1
        assert all(abs(wait - planned) < 30 for wait, planned in zip(waits, delivering.WAITS, strict=True))
        assert sum(delivering.WAITS) > 3 * 24 * 3600

    def test_follows_no_redirect_and_takes_no_answer_for_none(self, receiver: Receiver, acme: Account) -> None:
        endpoints.add(acme, url=receiver.url, actor=ADA)
        receiver.answers = [302]
        say(acme)
        assert delivering.deliver_waiting() == 0
        receiver.shutdown()
        receiver.server_close()
        due_again()
        assert delivering.deliver_waiting() == 0
        assert [one.status for one in WebhookTry.objects.all()] == [0, 302]
        assert "refused" in WebhookTry.objects.first().answer  # type: ignore[union-attr]

    def test_one_that_fails_holds_up_no_other(self, receiver: Receiver, acme: Account) -> None:
        endpoints.add(acme, url="http://127.0.0.1:9/dead", actor=ADA)
        endpoints.add(acme, url=receiver.url, actor=ADA)
        say(acme)
        assert delivering.deliver_waiting() == 1

    @pytest.mark.parametrize(
        "url",
        [
            "https://10.0.0.1/", "https://192.168.1.1/", "https://169.254.169.254/latest/meta-data/", "https://[::1]/",
            "https://[::ffff:10.0.0.1]/", "https://localhost/", "https://127.0.0.1/", "https://0.0.0.0/",
            "https://[fd00::1]/", "https://2130706433/", "https://0x7f.1/", "https://100.64.0.1/",
        ],
    )  # fmt: skip
    def test_never_reaches_a_private_place(self, settings: Settings, acme: Account, url: str) -> None:
        settings.WEBHOOKS_PUBLIC_ONLY = True
        endpoints.add(acme, url=url, actor=ADA)
        say(acme)
        assert delivering.deliver_waiting() == 0
        tried = WebhookTry.objects.get()
        assert tried.status == 0
        assert "not to be reached from here" in tried.answer

    def test_plain_http_is_refused_at_once_where_only_public_places_are_told(
        self, settings: Settings, acme: Account
    ) -> None:
        settings.WEBHOOKS_PUBLIC_ONLY = True
        with pytest.raises(Invalid, match="Give an https address") as refused:
            endpoints.add(acme, url="http://127.0.0.1:9/", actor=ADA)
        assert refused.value.field == "url"


class TestEndpoints:
    def test_a_former_secret_signs_as_well_for_a_day(self, receiver: Receiver, acme: Account) -> None:
        first = endpoints.add(acme, url=receiver.url, actor=ADA)
        second = endpoints.rotate(first.endpoint.pk, actor=ADA)
        say(acme)
        delivering.deliver_waiting()
        headers, body = receiver.heard[0]
        for secret in (first.secret, second.secret):
            Webhook(secret).verify(body, headers)
        first.endpoint.secrets.exclude(until=None).update(until=clock.now() - timedelta(seconds=1))
        say(acme, "A-2")
        delivering.deliver_waiting()
        headers, body = receiver.heard[1]
        with pytest.raises(WebhookVerificationError):
            Webhook(first.secret).verify(body, headers)
        Webhook(second.secret).verify(body, headers)

    def test_what_happens_while_paused_waits(self, receiver: Receiver, acme: Account) -> None:
        made = endpoints.add(acme, url=receiver.url, actor=ADA).endpoint
        endpoints.pause(made.pk, reason="Maintenance.", actor=ADA)
        say(acme)
        assert delivering.deliver_waiting() == 0
        endpoints.resume(made.pk, actor=ADA)
        assert delivering.deliver_waiting() == 1

    def test_one_that_is_removed_hears_nothing_and_forgets_its_secret(self, receiver: Receiver, acme: Account) -> None:
        made = endpoints.add(acme, url=receiver.url, actor=ADA).endpoint
        say(acme)
        endpoints.remove(made.pk, reason="Gone.", actor=ADA)
        assert (delivering.deliver_waiting(), say(acme, "A-2"), made.secrets.count()) == (0, 0, 0)

    def test_news_is_told_again_under_the_same_id(self, receiver: Receiver, acme: Account) -> None:
        endpoints.add(acme, url=receiver.url, actor=ADA)
        say(acme)
        with pytest.raises(Conflict):
            endpoints.send_again(WebhookDelivery.objects.all(), actor=ADA)
        delivering.deliver_waiting()
        assert endpoints.send_again(WebhookDelivery.objects.all(), actor=ADA) == 1
        assert delivering.deliver_waiting() == 1
        (one, body), (two, same) = receiver.heard
        assert (one["webhook-id"], body) == (two["webhook-id"], same)

    def test_a_test_reaches_one_endpoint_whatever_it_listens_to(self, receiver: Receiver, acme: Account) -> None:
        made = endpoints.add(acme, url=receiver.url, topics=["invoice.paid"], actor=ADA).endpoint
        endpoints.test(made.pk, actor=ADA)
        assert delivering.deliver_waiting() == 1
        assert json.loads(receiver.heard[0][1])["type"] == "test"

    @pytest.mark.parametrize(
        ("url", "topics", "field"),
        [
            ("http://example.com/hook", [], "url"),
            ("ftp://example.com/", [], "url"),
            ("https://user:pass@example.com/", [], "url"),
            ("nonsense", [], "url"),
            ("https://example.com/", ["invoice.eaten"], "topics"),
        ],
    )
    def test_what_cannot_be_called_is_refused(self, acme: Account, url: str, topics: list[str], field: str) -> None:
        with pytest.raises(Invalid) as refused:
            endpoints.add(acme, url=url, topics=topics, actor=ADA)
        assert refused.value.field == field
        assert not WebhookEndpoint.objects.exists()

    def test_no_secret_is_on_the_trail(self, receiver: Receiver, acme: Account) -> None:
        made = endpoints.add(acme, url=receiver.url, actor=ADA)
        trail = AuditEntry.objects.filter(table="accounts_webhookendpoint")
        assert trail.exists()
        assert not [entry for entry in AuditEntry.objects.all() if made.secret in str(vars(entry))]


class TestTheDatabaseRefuses:
    @pytest.mark.parametrize(
        "statement",
        [
            "update accounts_webhookmessage set body = '{}'",
            "delete from accounts_webhookmessage",
            "update accounts_webhooktry set status = 200",
            "delete from accounts_webhooktry",
            "update accounts_webhookdelivery set state = 'done', delivered_at = null",
            "insert into accounts_webhookmessage (topic, key, body)"
            " select topic, key, body from accounts_webhookmessage",
            "insert into accounts_webhooksecret (endpoint_id, text)"
            " select endpoint_id, text from accounts_webhooksecret",
            "update accounts_webhooksecret set text = 'plain'",
        ],
    )
    def test(self, receiver: Receiver, acme: Account, statement: str) -> None:
        endpoints.add(acme, url=receiver.url, actor=ACTOR)
        say(acme)
        delivering.deliver_waiting()
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_verify_finds_news_that_counts_as_told_and_never_was(receiver: Receiver, acme: Account) -> None:
    endpoints.add(acme, url=receiver.url, actor=ACTOR)
    say(acme)
    (ours,) = [one for one in invariants.collect() if one.name == "accounts/webhooks_that_are_done_arrived"]
    delivering.deliver_waiting()
    assert invariants.check(ours).holds
    say(acme, "A-2")
    WebhookDelivery.objects.filter(state="ready").update(state="done", delivered_at=clock.now())
    assert not invariants.check(ours).holds
