"""What endpoints may hear. A topic is for ever: programs of others wait for its name. Pure."""

from typing import Final

INVOICE_ISSUED: Final = "invoice.issued"
INVOICE_PAID: Final = "invoice.paid"
INVOICE_PAST_DUE: Final = "invoice.past_due"
CREDIT_NOTE_ISSUED: Final = "credit_note.issued"
ACCOUNT_RESTRICTED: Final = "account.restricted"
ACCOUNT_SUSPENDED: Final = "account.suspended"
ACCOUNT_REINSTATED: Final = "account.reinstated"
TEST: Final = "test"

TOPICS: Final = {
    INVOICE_ISSUED: "An invoice has its number and is due",
    INVOICE_PAID: "Nothing of an invoice is outstanding any more",
    CREDIT_NOTE_ISSUED: "Part of an invoice was taken back",
    ACCOUNT_RESTRICTED: "An account must be restricted for what it owes",
    ACCOUNT_SUSPENDED: "An account must be suspended for what it owes",
    ACCOUNT_REINSTATED: "An account has paid what it was restricted or suspended for",
}
