"""A small platform with one of everything an address can name, and everybody who may knock at it."""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.test import Client
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts import minting
from accounts.authentication import SCOPES
from accounts.models import ACCOUNT_SCOPES, Membership, User, WebhookDelivery
from accounts.webhooks import endpoints
from accounts.webhooks.publishing import News, publish
from accounts.webhooks.topics import INVOICE_PAID
from billing import contracting, credit_notes, crediting, rehearsing
from billing.documents import rendering
from billing.models import Document, Product, UsageWaiver
from collections_ import casework, charging, paying, policies
from collections_.models import Case
from core import clock, mailing
from core.audit import acting
from core.models import Mail
from core.periods import Month
from tests.usage import factories as usage
from tests.vault.conftest import ACTOR, Customer, browser, person
from usage import sources
from usage.models import Event, QuarantinedEvent, Source

ROLES = {"S": "support", "F": "finance", "C": "collections", "O": "operator", "A": "auditor"}
PAGE = "http://testserver/came-from-here/"  # where a form was sent from: a verb's refusal returns there


@dataclass
class Platform:
    """Who may knock, by letter: see ``tests.vault.access``. ``names`` fills the parameters of addresses."""

    sessions: dict[str, str]  # the cookie of each, so that signing out ends nobody else's
    keys: dict[str, str]
    names: dict[str, dict[str, Any]]
    mine: Customer
    other: Customer

    def knock(self, who: str, method: str, address: str) -> Any:
        """Send one request as ``who`` (a letter), with a session on pages and with a key on the API."""
        is_api, headers = address.startswith("/api/"), {"Referer": PAGE}
        client = Client()
        if who in self.keys and (is_api or who not in ROLES):
            headers["Authorization"] = f"Bearer {self.keys[who]}"
        elif who in self.sessions:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[who]
        send = getattr(client, method.lower())
        if method in ("GET", "HEAD", "OPTIONS"):
            return send(address, headers=headers)
        if is_api:
            return send(address, json.dumps({}), "application/json", headers=headers)
        return send(address, headers=headers)


def build(customers: tuple[Customer, Customer]) -> Platform:
    """Make one of everything for the first customer; the second one only has its month."""
    mine, other = customers
    staff = {letter: person(f"{role}@platform.example", role) for letter, role in ROLES.items()}
    people = staff | {"o": mine.owner, "v": mine.viewer, "x": other.owner}
    sessions = {who: browser(user).cookies[settings.SESSION_COOKIE_NAME].value for who, user in people.items()}
    return Platform(sessions, _keys(staff, mine, other), _names(staff, mine), mine, other)


def _keys(staff: dict[str, User], mine: Customer, other: Customer) -> dict[str, str]:
    """A key per role with every scope; ``a`` is the account's, ``b`` another's, ``r`` revoked, ``s`` a source's."""
    keys = {letter: minting.for_staff(user, SCOPES, actor=ACTOR).text for letter, user in staff.items()}
    for letter, account in (("a", mine.account), ("b", other.account), ("r", mine.account)):
        keys[letter] = minting.for_account(account, ACCOUNT_SCOPES, actor=ACTOR, name=letter).text
    minting.revoke(keys["r"].split("_")[1], actor=ACTOR)
    return keys | {"s": sources.rotate(Source.objects.get(), actor=ACTOR).text}


def _names(staff: dict[str, User], mine: Customer) -> dict[str, dict[str, Any]]:
    """What stands for each parameter, by the first part of the address; ``""`` holds for all others."""
    account, invoice = mine.account, mine.invoice
    line = invoice.lines.get()
    attempt = charging.request(invoice.pk, actor=staff["C"].actor, as_of=date(2026, 11, 3))
    payment = paying.record(
        account_id=account.pk,
        currency="USD",
        amount=Decimal(1),
        method="bank_transfer",
        reference="B-1",
        received_on=date(2026, 11, 3),
        actor=staff["C"].actor,
    )
    case, hold = _case(mine)
    asked = crediting.request(account.pk, Decimal(500), reason="canary-of-acme", actor=staff["S"].actor)
    note = credit_notes.issue(
        invoice.pk, {line.pk: Decimal(1)}, reason="wrong", actor=staff["F"].actor, on=date(2026, 11, 4)
    ).note
    with acting(ACTOR):
        mailing.queue(kind="test", reference="1", recipient="a@b.example", subject="Hello", text="Text")
    usage.report(Source.objects.get(), [{"id": "broken", "type": "open"}])
    amendment = usage.amended(Source.objects.get(), 10, 11, [], f"{mine.secret}.1").pk
    assert note is not None
    contract = contracting.agree(
        account.pk, name=f"{mine.secret} terms", valid_from=Month(2027, 1), valid_to=None,
        terms={"minimum_spend": "5"}, reason=mine.secret, actor=staff["F"].actor,
    ).pk  # fmt: skip
    hook = endpoints.add(account, url="https://hooks.example/acme", description=mine.secret, actor=ACTOR).endpoint.pk
    publish(INVOICE_PAID, [News(mine.secret, account.pk, {"number": mine.secret})])
    told = WebhookDelivery.objects.get().pk
    rehearsed = rehearsing.begin(
        Product.objects.get(code="standard-1x"), account.currency, {"model": "prorated", "unit_amount": "9"}, "month",
        actor=ACTOR,
    ).pk  # fmt: skip
    rehearsing.rehearse_waiting()
    with acting(ACTOR):
        waiver = UsageWaiver.objects.create(
            kind="unpriced", month=date(2026, 10, 1), account=account, product="gold", reason=mine.secret,
            start=Month(2026, 10).start, end=Month(2026, 10).end, amount=1, accepted_by=ACTOR,
        ).pk  # fmt: skip
    rendering.render_waiting()  # so that no request has to print
    return {
        "": {
            "code": account.code,
            "membership": Membership.objects.get(user=mine.viewer).pk,
            "prefix": account.api_keys.filter(revoked_at=None).first().prefix,  # type: ignore[union-attr]
            "part": "invoices",
            "gateway": "sandbox",
            "number": invoice.number,
            "hold": hold,
            "line": line.pk,
            "position": line.position,
            "name": Source.objects.get().name,
            "identifier": QuarantinedEvent.objects.get().pk,
            "reference": "own-1",
            "document": Document.objects.filter(invoice=invoice).earliest("pk").pk,
            "uidb64": urlsafe_base64_encode(force_bytes(mine.viewer.pk)),
            "token": "set-password",
        },
        "collections": {"pk": case},
        "payments": {"pk": payment.pk},
        "payments/charges": {"pk": attempt.pk},
        "runs": {"key": invoice.run_id},
        "credits": {"key": asked.pk},
        "mail": {"key": Mail.objects.latest("pk").pk},
        "invoices": {"key": invoice.number},
        "prices": {"code": Product.objects.get(code="standard-1x").code},
        "credit-notes": {"number": note.number},
        "sources": {"prefix": Source.objects.get().credentials.earliest("pk").prefix},
        "api/v1/usage/sources": {"prefix": Source.objects.get().credentials.earliest("pk").prefix},
        "usage/resources": {"name": f"{mine.secret}.1"},
        "usage/events": {"source": Source.objects.get().name, "event_id": Event.objects.earliest("id").event_id},
        "api/v1/payments": {"pk": payment.pk},
        "api/v1/runs": {"key": invoice.run_id},
        "api/v1/credits": {"key": asked.pk},
        "api/v1/cases": {"key": case},
        "api/v1/contracts": {"key": contract},
        "rehearsals": {"key": rehearsed},
        "webhooks": {"key": hook, "step": "pause"},
        "api/v1/webhooks": {"key": hook, "delivery": told},
        "accounts": {"key": contract},
        "api/v1/usage/amendments": {"key": amendment},
        "usage/amendments": {"key": amendment},
        "usage/unbilled/waivers": {"key": waiver},
    }


def _case(mine: Customer) -> tuple[int, int]:
    with acting(ACTOR):
        policy = policies.current()
        case = Case.objects.create(account=mine.account, currency="USD", policy=policy, opened_on=date(2026, 11, 3))
    today = clock.today()
    held = casework.hold(case.pk, reason="canary-of-acme", until=today + timedelta(days=7), as_of=today, actor=ACTOR)
    return case.pk, held.pk
