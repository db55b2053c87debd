"""What every request passes first."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", ["/accounts/a%00b/", "/accounts/?q=%00", "/api/v1/runs/1/accounts/%00/hold"])
def test_a_nul_in_an_address_is_a_bad_request(client: Client, address: str) -> None:
    assert client.get(address).status_code == 400


def test_a_well_formed_request_id_comes_back_and_another_is_replaced(client: Client) -> None:
    assert client.get("/healthz", headers={"X-Request-Id": "abc-12345"})["X-Request-Id"] == "abc-12345"
    assert client.get("/healthz", headers={"X-Request-Id": "a b\x01"})["X-Request-Id"] != "a b\x01"
