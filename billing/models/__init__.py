"""The books: catalogue, runs, invoices, credits, ledger and documents."""

from billing.models.catalogue import Price, PriceModel, Product, ProductGroup
from billing.models.contract import Contract
from billing.models.credit import CreditApplication, CreditGrant, CreditState
from billing.models.credit_note import CreditNote, CreditNoteLine, Settlement
from billing.models.document import Document, DocumentKind
from billing.models.invoice import Invoice, InvoiceKind, InvoiceLine, InvoiceStatus, LineKind, PaymentStatus
from billing.models.ledger import LedgerAccount, LedgerEntry, LedgerTransaction
from billing.models.rehearsal import Rehearsal, RehearsedBill
from billing.models.run import Outcome, Run, RunAccount, RunShard, RunState, ShardPhase
from billing.models.seller import NumberSeries, Seller, TaxRate
from billing.models.waiver import UnbilledCount, UsageWaiver, WaiverKind

__all__ = [
    "Contract",
    "CreditApplication",
    "CreditGrant",
    "CreditNote",
    "CreditNoteLine",
    "CreditState",
    "Document",
    "DocumentKind",
    "Invoice",
    "InvoiceKind",
    "InvoiceLine",
    "InvoiceStatus",
    "LedgerAccount",
    "LedgerEntry",
    "LedgerTransaction",
    "LineKind",
    "NumberSeries",
    "Outcome",
    "PaymentStatus",
    "Price",
    "PriceModel",
    "Product",
    "ProductGroup",
    "Rehearsal",
    "RehearsedBill",
    "Run",
    "RunAccount",
    "RunShard",
    "RunState",
    "Seller",
    "Settlement",
    "ShardPhase",
    "TaxRate",
    "UnbilledCount",
    "UsageWaiver",
    "WaiverKind",
]
