"""Issued lines as FOCUS rows (FinOps Open Cost and Usage Specification 1.0), so that customers can compare clouds."""

from collections.abc import Iterator
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from core.money import plain
from core.periods import Month
from core.sql import load

COLUMNS: Final = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart",
    "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart",
    "ConsumedQuantity", "ConsumedUnit", "ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost",
    "ListUnitPrice", "PricingCategory", "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName",
    "ServiceCategory", "ServiceName", "SkuId", "SubAccountId", "SubAccountName", "x_InvoiceNumber",
)  # fmt: skip
CATEGORIES: Final = {"dyno": "Compute", "data": "Databases", "addon": "Other", "support": "Other", "other": "Other"}


def rows(month: Month) -> Iterator[dict[str, str]]:
    """Yield one row per line of ``month``'s issued invoices, then one per credit and per tax amount."""
    with connection.cursor() as cursor:
        cursor.execute(load("insights", "focus"), {"month": month.first_day})
        names = [column[0] for column in cursor.description]
        while batch := cursor.fetchmany(2000):
            yield from (_row(dict(zip(names, values, strict=True))) for values in batch)


def _row(line: dict[str, Any]) -> dict[str, str]:
    cost = plain(line["amount"])
    used = line["category"] == "Usage"
    values = {
        "BilledCost": cost,
        "EffectiveCost": cost,
        "ListCost": cost,
        "ContractedCost": cost,
        "BillingAccountId": line["account"],
        "BillingAccountName": line["account_name"],
        "BillingCurrency": line["currency"],
        "BillingPeriodStart": _moment(line["period_start"]),
        "BillingPeriodEnd": _moment(line["period_end"]),
        "ChargeCategory": line["category"],
        "ChargeClass": "Correction" if line["correction"] else "",
        "ChargeDescription": line["description"],
        "ChargeFrequency": "Usage-Based" if used else "Recurring",
        "ChargePeriodStart": _moment(line["charged_from"]),
        "ChargePeriodEnd": _moment(line["charged_to"]),
        "InvoiceIssuerName": line["seller"],
        "ProviderName": line["seller"],
        "PublisherName": line["seller"],
        "ServiceCategory": CATEGORIES.get(line["group"], "Other"),
        "ServiceName": line["product_name"],
        "SkuId": line["product"],
        "SubAccountId": line["app"],
        "SubAccountName": line["app"],
        "x_InvoiceNumber": line["number"],
    }
    if used:
        values |= {
            "ConsumedQuantity": plain(line["quantity"]),
            "ConsumedUnit": line["unit"],
            "PricingQuantity": plain(line["quantity"]),
            "PricingUnit": line["unit"],
            "PricingCategory": "Standard",
            "ListUnitPrice": plain(line["unit_amount"]) if isinstance(line["unit_amount"], Decimal) else "",
        }
    return {name: values.get(name, "") for name in COLUMNS}


def _moment(value: Any) -> str:
    moment = value if isinstance(value, datetime) else datetime.combine(value, time(), tzinfo=UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
