"""What every request passes first."""

import pytest
from django.db import DataError, connection, transaction
from django.http import HttpResponse
from django.test import Client, RequestFactory

from core.middleware import NoNulMiddleware
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", ["/accounts/a%00b/", "/api/v1/runs/1/accounts/%00/hold"])
def test_a_nul_in_an_address_is_a_bad_request(client: Client, address: str) -> None:
    client.force_login(factories.staff()["ada"], backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(address).status_code == 400


def test_a_nul_that_only_the_driver_noticed_is_a_bad_request_too(rf: RequestFactory) -> None:
    middleware = NoNulMiddleware(lambda request: HttpResponse())
    with pytest.raises(DataError) as refused, connection.cursor() as cursor, transaction.atomic():
        cursor.execute("select %s", ["a\0b"])
    answer = middleware.process_exception(rf.get("/"), refused.value)
    assert answer is not None and answer.status_code == 400
    assert middleware.process_exception(rf.get("/"), ValueError("another mistake")) is None


def test_a_well_formed_request_id_comes_back_and_another_is_replaced(client: Client) -> None:
    assert client.get("/healthz", headers={"X-Request-Id": "abc-12345"})["X-Request-Id"] == "abc-12345"
    assert client.get("/healthz", headers={"X-Request-Id": "a b\x01"})["X-Request-Id"] != "a b\x01"
