"""Write drafts set-based: one COPY per table and shard, credits under their row locks, all in one transaction."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from billing import allocation, locks
from billing.draft import DraftLine
from billing.gathering import AccountFacts
from billing.judging import Case, Verdict, add_up
from billing.models import CreditApplication, CreditGrant, Invoice, InvoiceStatus, Run
from core import clock, sql
from core.periods import Month

Judged = tuple[AccountFacts, Case, Verdict]
INVOICE_COLUMNS: Final = (
    "id", "account_id", "seller_id", "run_id", "kind", "shadow", "currency", "period_start", "period_end", "status",
    "payment_status", "subtotal", "credits", "tax_name", "tax_rate", "tax", "total", "settled", "credited", "bill_to",
    "sold_by", "content_hash", "created_at",
)  # fmt: skip
LINE_COLUMNS: Final = (
    "invoice_id", "position", "kind", "app", "product", "group", "component", "meter", "description", "quantity",
    "unit", "unit_amount", "amount", "rated", "unrounded", "price_id", "usage", "resources", "steps", "inputs_hash",
    "period_start", "period_end", "adjusts_id", "reason", "author",
)  # fmt: skip


def replace(run: Run, judged: Sequence[Judged]) -> list[Verdict]:
    """Write the drafts of some accounts of a run in place of what they had, and end their roster lines.

    Runs in the caller's transaction, signed by the run. Repeatable: the same facts leave the same drafts.
    """
    accounts = [account.key for account, _, _ in judged]
    delete(run, accounts)
    grants = _grants_by_account(judged)
    verdicts = [add_up(case, verdict, grants.get(account.key, ())) for account, case, verdict in judged]
    drafted = [(row, verdict) for row, verdict in zip(judged, verdicts, strict=True) if verdict.content_hash]
    rows = dict(zip((row[0].key for row, _ in drafted), _new_rows("billing_invoice", len(drafted)), strict=True))
    now = clock.database_now()  # asked here: nothing else may be asked while a COPY runs on the connection
    _copy("billing_invoice", INVOICE_COLUMNS, _invoices(run, drafted, rows, now))
    _copy(
        "billing_invoiceline",
        LINE_COLUMNS,
        (
            line_row(rows[row[0].key], position, line)
            for row, verdict in drafted
            for position, line in enumerate(verdict.lines, start=1)
        ),
    )
    if not run.shadow:
        take_credits({rows[row[0].key]: verdict.sums.applications for row, verdict in drafted})
    _end(run, judged, verdicts, rows)
    return verdicts


def delete(run: Run, accounts: Sequence[int]) -> None:
    """Take back the drafts of some accounts of a run, with their credits; issued invoices stay."""
    if not Invoice.objects.filter(run=run, account_id__in=accounts, status=InvoiceStatus.DRAFT).exists():
        return
    locks.grants(accounts)
    with connection.cursor() as cursor:
        cursor.execute(sql.load("billing", "delete_drafts"), {"run": run.pk, "accounts": list(accounts)})


def take_credits(applications: Mapping[int, Sequence[tuple[int, Decimal]]]) -> None:
    """Write what each invoice (by row) takes of which grants, and lower their balances; the caller locked them."""
    used = [(invoice, grant, amount) for invoice, taken in applications.items() for grant, amount in taken]
    if not used:
        return
    CreditApplication.objects.bulk_create(
        CreditApplication(invoice_id=invoice, grant_id=grant, amount=amount) for invoice, grant, amount in used
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "update billing_creditgrant g set balance = balance - used.amount"
            " from (select grant_id, sum(amount) as amount"
            " from unnest(%s::bigint[], %s::numeric[]) as taken (grant_id, amount) group by grant_id) used"
            " where g.id = used.grant_id",
            [[grant for _, grant, _ in used], [amount for _, _, amount in used]],
        )


def as_grant(row: CreditGrant) -> allocation.Grant:
    """Return a credit as allocation knows it."""
    return allocation.Grant(row.pk, row.balance, frozenset(row.scope), row.partners, row.expires_on, row.cap_per_month)


def line_row(invoice: int, position: int, line: DraftLine) -> tuple[Any, ...]:
    """Return a line in the order of LINE_COLUMNS."""
    return (
        invoice, position, line.kind, line.app, line.product, line.group, line.component, line.meter, line.description,
        line.quantity, line.unit, line.unit_amount, line.amount, line.rated, line.unrounded, line.price, line.usage,
        line.resources, json.dumps(list(line.steps), ensure_ascii=False), line.inputs_hash, line.start, line.end,
        line.adjusts, line.reason, line.author,
    )  # fmt: skip


def _grants_by_account(judged: Sequence[Judged]) -> dict[int, list[allocation.Grant]]:
    """Lock the accounts' credits and return those in each account's currency."""
    currencies = {account.key: case.currency for account, case, _ in judged}
    grants: dict[int, list[allocation.Grant]] = {}
    for row in locks.grants(currencies):
        if row.currency == currencies[row.account_id]:
            grants.setdefault(row.account_id, []).append(as_grant(row))
    return grants


def _invoices(
    run: Run, drafted: Iterable[tuple[Judged, Verdict]], rows: Mapping[int, int], now: datetime
) -> Iterable[tuple[Any, ...]]:
    month = Month.containing(run.month)
    for (account, case, _), verdict in drafted:
        sums = verdict.sums
        yield (
            rows[account.key], account.key, run.seller_id, run.pk, "periodic", run.shadow, case.currency,
            month.first_day, month.next.first_day, "draft", "none", sums.subtotal, sums.credits, sums.tax_name,
            sums.tax_rate, sums.tax, sums.total, 0, 0, "{}", "{}", verdict.content_hash, now,
        )  # fmt: skip


def _end(run: Run, judged: Sequence[Judged], verdicts: Sequence[Verdict], rows: Mapping[int, int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            sql.load("billing", "end_roster_lines"),
            {
                "run": run.pk,
                "accounts": [account.key for account, _, _ in judged],
                "outcomes": [verdict.outcome for verdict in verdicts],
                "codes": [verdict.code for verdict in verdicts],
                "reasons": [verdict.reason for verdict in verdicts],
                "invoices": [rows.get(account.key) for account, _, _ in judged],
                "totals": [verdict.sums.total if verdict.content_hash else None for verdict in verdicts],
                "hashes": [verdict.inputs_hash for verdict in verdicts],
            },
        )


def _new_rows(table: str, count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("select nextval(pg_get_serial_sequence(%s, 'id')) from generate_series(1, %s)", [table, count])
        return [row[0] for row in cursor.fetchall()]


def _copy(table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    names = ", ".join(f'"{name}"' for name in columns)
    statement = f"copy {table} ({names}) from stdin"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
