"""One closed month of two customers, with everybody who may look at it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from django.test import Client

from accounts import enrolling
from accounts.models import Account, Membership, User
from billing.models import Invoice
from collections_ import methods
from core.audit import acting
from tests import factories

ACTOR = "system:test"
BACKEND = "django.contrib.auth.backends.ModelBackend"
PASSWORD = "correct-horse-battery-9"


@pytest.fixture(autouse=True)
def quick_passwords(settings: pytest.FixtureRequest) -> None:
    """Hash passwords in no time; what they are hashed by is not what these tests are about."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]


@dataclass
class Customer:
    """One account with its people, its invoice of October and a word that only its own pages may say."""

    account: Account
    owner: User
    viewer: User
    invoice: Invoice
    secret: str


def person(email: str, role: str = "") -> User:
    return User.objects.filter(email=email).first() or enrolling.create(
        email, role=role, password=PASSWORD, actor=ACTOR
    )


def browser(user: User | None) -> Client:
    """A browser in which ``user`` is signed in; None is a stranger."""
    client = Client()
    if user is not None:
        client.force_login(user, backend=BACKEND)
    return client


def customer(code: str) -> Customer:
    """An account that used a Standard-1X dyno all October in an app that bears its secret word."""
    secret = f"canary{code}"
    owned = factories.account(code, name=f"Name-{secret}", email=f"{secret}@{code}.example")
    owner, viewer = person(f"owner@{code}.example"), person(f"viewer@{code}.example")
    with acting(ACTOR):
        Membership.objects.create(account=owned, user=owner, role="owner")
        Membership.objects.create(account=owned, user=viewer, role="viewer")
    start = datetime(2026, 10, 1, tzinfo=UTC)
    factories.use(factories.ran(f"{secret}.1", "standard-1x", start, None, code, app=f"app-{secret}"))
    return Customer(owned, owner, viewer, None, secret)  # type: ignore[arg-type]  # until the month is closed


@pytest.fixture
def customers(db: None) -> tuple[Customer, Customer]:
    """Acme and Globex, with October issued on 2 November and a card on file each."""
    both = customer("acme"), customer("globex")
    factories.close()
    for one in both:
        one.invoice = factories.invoice(one.account)
        methods.register(
            one.account.pk,
            token="tok_ok",
            brand="visa",
            last4="4242",
            expires=date(2030, 1, 31),
            actor=ACTOR,
        )
    return both
