"""What endpoints may hear, once something tells it. A topic is for ever: programs of others wait for its name. Pure."""

from typing import Final

INVOICE_ISSUED: Final = "invoice.issued"
INVOICE_PAID: Final = "invoice.paid"
ACCOUNT_RESTRICTED: Final = "account.restricted"
ACCOUNT_SUSPENDED: Final = "account.suspended"
TEST: Final = "test"

TOPICS: Final = {
    INVOICE_ISSUED: "An invoice has its number and is due",
    INVOICE_PAID: "Nothing of an invoice is outstanding any more",
    ACCOUNT_RESTRICTED: "An account must be restricted for what it owes",
    ACCOUNT_SUSPENDED: "An account must be suspended for what it owes",
}
