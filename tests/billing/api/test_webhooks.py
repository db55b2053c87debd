"""Webhooks by API and page, and the news that billing and collections tell."""

import json
from datetime import date
from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import Account, WebhookDelivery, WebhookEndpoint, WebhookMessage
from accounts.webhooks import endpoints
from billing import settling
from collections_ import climbing
from core import audit, outbox
from core.models import OutboxMessage
from tests import factories
from tests.billing.api.conftest import KeyOf, call
from tests.factories import ADA, OCTOBER, account, close, invoice, ran, use
from vault.subscriptions import HANDLERS

pytestmark = pytest.mark.django_db
URL = "https://hooks.example/acme"


@pytest.fixture
def acme() -> Account:
    factories.staff()
    return account("acme")


class TestByAPI:
    def test_an_accounts_key_adds_reads_and_removes_its_own(self, acme: Account, key_of: KeyOf) -> None:
        key, other = key_of(acme), key_of(account("other"))
        made = call("post", "/webhooks", key, {"url": URL, "topics": ["invoice.issued"]})
        said = made.json()
        assert (made.status_code, said["account"], said["topics"]) == (201, "acme", ["invoice.issued"])
        assert said["secret"].startswith("whsec_")
        where = f"/webhooks/{said['id']}"
        assert "secret" not in call("get", where, key).json()
        assert call("get", "/webhooks", other).json()["results"] == []
        assert call("get", where, other).status_code == 404
        assert call("post", f"{where}/test", other, {}).status_code == 404
        assert call("post", f"{where}/test", key, {}).status_code == 202
        told = call("get", f"{where}/deliveries", key).json()["results"]
        assert [(one["topic"], one["state"]) for one in told] == [("test", "ready")]
        assert call("post", f"{where}/deliveries/{told[0]['id']}/again", key, {}).status_code == 409
        assert call("delete", where, key, {"reason": "Moved."}).status_code == 200
        assert call("get", where, key).status_code == 404

    def test_an_accounts_key_cannot_listen_to_another(self, acme: Account, key_of: KeyOf) -> None:
        account("other")
        assert call("post", "/webhooks", key_of(acme), {"url": URL, "account": "other"}).status_code == 404
        assert call("post", "/webhooks", key_of("omar"), {"url": URL, "account": "other"}).status_code == 201

    def test_a_repeat_with_its_key_lacks_the_secret(self, acme: Account, key_of: KeyOf) -> None:
        key = key_of(acme)
        answers = [call("post", "/webhooks", key, {"url": URL}, **{"Idempotency-Key": "w1"}).json() for _ in "12"]
        assert ["secret" in answer for answer in answers] == [True, False]
        assert WebhookEndpoint.objects.count() == 1

    def test_an_address_that_cannot_be_called_is_named(self, acme: Account, key_of: KeyOf) -> None:
        answer = call("post", "/webhooks", key_of(acme), {"url": "http://example.com/"})
        assert (answer.status_code, answer.json()["field"]) == (400, "url")


class TestPages:
    def test_add_rotate_pause_and_remove(self, acme: Account, client: Client) -> None:
        client.force_login(factories.staff()["ada"])
        assert "No program listens yet" in client.get("/webhooks/").content.decode()
        page = client.post("/webhooks/new/", {"account": "acme", "url": URL}).content.decode()
        assert "whsec_" in page
        hook = WebhookEndpoint.objects.get()
        where = f"/webhooks/{hook.pk}/"
        assert "whsec_" not in client.get(where).content.decode()
        assert "whsec_" in client.post(f"{where}rotate/").content.decode()
        assert "Paused" in client.post(f"{where}pause/", follow=True).content.decode()
        assert "Resume" in client.get(where).content.decode()
        client.post(f"{where}test/")
        assert "Waiting" in client.get(where).content.decode()
        client.post(f"{where}remove/", {"reason": "Gone."})
        assert client.get(where).status_code == 404

    def test_bad_input_is_marked(self, acme: Account, client: Client) -> None:
        client.force_login(factories.staff()["ada"])
        page = client.post("/webhooks/new/", {"account": "nobody", "url": URL}).content.decode()
        assert "Nothing was saved" in page
        page = client.post("/webhooks/new/", {"account": "acme", "url": "https://a:b@example.com/"}).content.decode()
        assert "Leave user and password out" in page


class TestNews:
    def told(self) -> list[tuple[str, str]]:
        return list(WebhookMessage.objects.order_by("id").values_list("topic", "key"))

    def test_of_what_was_issued_and_paid(self, acme: Account) -> None:
        endpoints.add(None, url=URL, actor=ADA)
        use(ran("w", "standard-2x", OCTOBER.start, OCTOBER.end, "acme"))
        close()
        outbox.drain(HANDLERS)
        made = invoice(acme)
        assert self.told() == [("invoice.issued", made.number)]
        said = json.loads(WebhookMessage.objects.get().body)["data"]
        assert (said["account"], said["total"], said["currency"], said["due_on"]) == (
            "acme",
            "50.00",
            "USD",
            "2026-11-02",
        )
        with audit.acting(ADA):
            settling.settle(made.pk, Decimal(20), on=date(2026, 11, 3))
            assert len(self.told()) == 1
            settling.settle(made.pk, Decimal(30), on=date(2026, 11, 4))
        assert self.told()[1:] == [("invoice.paid", made.number)]
        OutboxMessage.objects.all().delete()
        assert WebhookDelivery.objects.count() == 2

    @pytest.mark.parametrize(("kind", "topics"), [("restrict", 1), ("suspend", 1), ("hand_over", 0)])
    def test_of_what_must_be_done_to_an_account(self, acme: Account, kind: str, topics: int) -> None:
        endpoints.add(None, url=URL, actor=ADA)
        payload = {"kind": kind, "account": "acme", "invoice": "V-1", "case_id": 1, "on": "2026-11-30"}
        for key in ("one", "again"):
            outbox.add(climbing.NEWS, key, payload)
        outbox.drain(HANDLERS)
        assert len(self.told()) == topics
