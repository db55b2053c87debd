"""Payment methods: a token of the gateway's hosted page and what may be shown of the card, nothing more."""

import re
from datetime import date

from collections_ import gateways, locks
from collections_.cards import refuse_card_number
from collections_.models import PaymentMethod
from core import audit
from core.errors import Invalid


def register(
    account_id: int, *, token: str, brand: str, last4: str, expires: date, actor: str, gateway: str = "sandbox"
) -> PaymentMethod:
    """Make ``token`` the account's default method; the same token again only updates what is shown.

    ``expires`` is the last day it is good for. Anything that looks like a card number raises Invalid: those must
    never reach us.
    """
    gateways.named(gateway)
    token = refuse_card_number(token, "token")
    if not 0 < len(token) <= 200:
        raise Invalid("Send the gateway's token for the card, of 1 to 200 characters", field="token")
    if not re.fullmatch(r"\d{4}", last4):
        raise Invalid("Send the last four digits of the card", field="last4")
    with audit.acting(actor):
        locks.account(account_id)
        PaymentMethod.objects.filter(account_id=account_id, is_default=True).exclude(
            gateway=gateway, token=token
        ).update(is_default=False)
        method, _ = PaymentMethod.objects.update_or_create(
            account_id=account_id,
            gateway=gateway,
            token=token,
            defaults={"brand": brand[:20], "last4": last4, "expires": expires, "is_default": True},
        )
    return method
