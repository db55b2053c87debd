"""Two accounts, their owner and viewer, and one member of staff per role."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts import enrolling, registering
from accounts.models import Account, Membership, User
from core.audit import acting

PASSWORD = "correct-horse-battery-9"
ACTOR = "system:test"
BACKEND = "django.contrib.auth.backends.ModelBackend"
SignedIn = Callable[[User], Client]


@pytest.fixture(autouse=True)
def quick_passwords(settings: pytest.FixtureRequest) -> None:
    """Hash passwords in no time; what they are hashed by is not what these tests are about."""
    quick = "django.contrib.auth.hashers.MD5PasswordHasher"
    settings.PASSWORD_HASHERS = [quick, *settings.PASSWORD_HASHERS]


def person(email: str, role: str = "") -> User:
    return enrolling.create(email, role=role, password=PASSWORD, actor=ACTOR)


def member(account: Account, email: str, role: str) -> User:
    user = person(email)
    with acting(ACTOR):
        Membership.objects.create(account=account, user=user, role=role)
    return user


@pytest.fixture
def acme(db: None) -> Account:
    return registering.register({"code": "acme", "name": "Acme Robotics", "email": "ap@acme.example"}, actor=ACTOR)


@pytest.fixture
def globex(db: None) -> Account:
    return registering.register({"code": "globex", "name": "Globex", "currency": "EUR"}, actor=ACTOR)


@pytest.fixture
def alice(acme: Account) -> User:
    """Owns Acme."""
    return member(acme, "alice@acme.example", "owner")


@pytest.fixture
def victor(acme: Account) -> User:
    """Views Acme."""
    return member(acme, "victor@acme.example", "viewer")


@pytest.fixture
def gina(globex: Account) -> User:
    """Owns Globex, and must never see Acme."""
    return member(globex, "gina@globex.example", "owner")


@pytest.fixture
def sam(db: None) -> User:
    return person("sam@platform.example", "support")


@pytest.fixture
def iris(db: None) -> User:
    return person("iris@platform.example", "auditor")


@pytest.fixture
def signed_in() -> SignedIn:
    """Return a browser in which somebody is signed in."""

    def enter(user: User) -> Client:
        client = Client()
        client.force_login(user, backend=BACKEND)
        return client

    return enter
