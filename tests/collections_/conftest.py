"""People who work with cases, and one account that is past due."""

import pytest
from django.test import Client

from accounts.models import User
from billing.models import Invoice
from collections_ import collecting
from collections_.models import Case
from core import audit
from tests.collections_ import factories


def person(role: str) -> User:
    with audit.acting(factories.ACTOR):
        return User.objects.create_user(f"{role}@example.com", "secret words", name=role.title(), role=role)


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(person(role), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def agent(transactional_db: None) -> Client:
    """A collections agent's browser."""
    return signed_in("collections")


@pytest.fixture
def auditor(transactional_db: None) -> Client:
    """An auditor's browser: reads everything, changes nothing."""
    return signed_in("auditor")


@pytest.fixture
def invoice(transactional_db: None) -> Invoice:
    """An invoice that was charged in vain yesterday and is past due today."""
    owner = factories.account("acme")
    factories.card(owner, "tok_declines_once")
    made = factories.invoice(owner, due_on=factories.YESTERDAY)
    collecting.run(factories.YESTERDAY)
    collecting.run(factories.TODAY)
    return made


@pytest.fixture
def case(invoice: Invoice) -> Case:
    """The case of that invoice."""
    return Case.objects.get()
