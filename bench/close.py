"""Seconds to close a month, beside the bare SQL that writes the same invoices, lines and postings without a question.

    .venv/bin/python bench/close.py [--accounts 10000] [--resources 5] [--trace FILE]

Makes a database of its own on the server of DATABASE_URL and drops it at the end. The usage goes through the real
intake; the close is the real one: rating, drafts, approval, numbers, ledger, documents ordered, news.
"""

import argparse
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vault.settings")
NAME = "vault_bench_close"
HOUSE = os.environ.get("DATABASE_URL", "")
if not HOUSE:
    sys.exit("Set DATABASE_URL to a PostgreSQL server on which a database may be made.")
os.environ["DATABASE_URL"] = urlunsplit(urlsplit(HOUSE)._replace(path=f"/{NAME}"))

import django  # noqa: E402
import psycopg  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402

from accounts.models import Account  # noqa: E402
from billing import approving, drafting, issuing, running  # noqa: E402
from billing.models import Invoice, InvoiceLine  # noqa: E402
from core import audit  # noqa: E402
from core.periods import Month  # noqa: E402
from monitoring import invariants  # noqa: E402
from tests import factories  # noqa: E402
from usage import importing_trace, intake, pairing, sources  # noqa: E402
from usage.reported import Batch, ReportedEvent  # noqa: E402
from usage.window import ANY_PAST  # noqa: E402

MONTH = Month(2026, 10)
PRODUCTS = ("basic", "standard-1x", "standard-2x", "performance-m", "mini-postgres")
BATCH = 10_000
# What a single statement per table needs for the same rows, on copies with their checks and indexes and no trigger.
BARE = """
create table bare_invoice (like billing_invoice including all);
create table bare_line (like billing_invoiceline including all);
create table bare_transaction (like billing_ledgertransaction including all);
create table bare_entry (like billing_ledgerentry including all);
create temporary table bare_used as
select a.id as account, o.app, i.product, i.component, p.id as price, (p.terms ->> 'unit_amount')::numeric as unit,
       sum(extract(epoch from least(i.closed, o."end", %(end)s) - greatest(i.opened, o.start, %(start)s))) as seconds
from usage_ownership o
join usage_interval i using (resource)
join accounts_account a on a.code = o.account
join billing_product b on b.code = i.product
join billing_price p on p.product_id = b.id and p.currency = a.currency
where o.superseded_at is null and i.superseded_at is null
  and i.opened < least(o."end", %(end)s) and coalesce(i.closed, 'infinity') > greatest(o.start, %(start)s)
group by 1, 2, 3, 4, 5, 6;
insert into bare_invoice (id, account_id, seller_id, kind, shadow, currency, period_start, period_end, status,
    payment_status, number, subtotal, credits, tax_name, tax_rate, tax, total, settled, credited, issued_on, due_on,
    bill_to, sold_by, content_hash, created_at)
select nextval('bare_invoice_id'), account, 1, 'periodic', false, 'USD', %(start)s, %(end)s, 'open', 'none',
    'B-' || row_number() over (order by account), amount, 0, '', 0, 0, amount, 0, 0, %(end)s, %(end)s, '{}', '{}', '',
    now()
from (select account, sum(round(unit * seconds / 2678400, 2)) as amount from bare_used group by account) sums;
insert into bare_line (id, invoice_id, position, kind, app, product, "group", component, meter, description, quantity,
    unit, unit_amount, amount, rated, unrounded, price_id, usage, resources, steps, inputs_hash, period_start,
    period_end, reason, author)
select nextval('bare_line_id'), i.id, row_number() over (partition by i.id order by u.app, u.product), 'usage', u.app,
    u.product, 'dyno', u.component, '', u.product, u.seconds / 2678400, 'month', u.unit,
    round(u.unit * u.seconds / 2678400, 2), round(u.unit * u.seconds / 2678400, 2), u.unit * u.seconds / 2678400,
    u.price, u.seconds, 1, '[]', '', %(start)s, %(end)s, '', ''
from bare_used u join bare_invoice i on i.account_id = u.account;
insert into bare_transaction (id, source_type, source_id, kind, effective_on, account_id, posted_at)
select nextval('bare_transaction_id'), 'invoice', id, 'issue', issued_on, account_id, now() from bare_invoice;
insert into bare_entry (id, transaction_id, ledger_account, currency, amount)
select nextval('bare_entry_id'), t.id, e.name, i.currency, e.amount
from bare_transaction t join bare_invoice i on i.id = t.source_id
cross join lateral (values ('receivable', i.total), ('revenue', -i.total)) as e (name, amount) where e.amount <> 0;
"""


def main() -> None:
    """Load, close, compare, and print both sides."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--resources", type=int, default=5)
    parser.add_argument("--trace", type=Path, help="close the production trace instead")
    chosen = parser.parse_args()
    with own_database():
        factories.staff()
        if chosen.trace:
            timed("load the trace", lambda: importing_trace.import_trace(chosen.trace, MONTH))
        else:
            timed("load", lambda: load(chosen.accounts, chosen.resources))
        seconds = close()
        bare = timed("the bare SQL", write_bare)
        invoices, lines = Invoice.objects.count(), InvoiceLine.objects.count()
        print(f"{invoices:,} invoices, {lines:,} lines: {invoices / seconds:,.0f} invoices/s closed")
        print(f"ratio to the bare SQL: {bare / seconds:.2f} of its speed")
        broken = [one.name for one in invariants.collect() if not invariants.check(one).holds]
        print(f"invariants: {broken or 'all hold'}")


def close() -> float:
    """Close the month in this process; return the seconds of all its steps."""
    started = time.perf_counter()
    timed("open the run", lambda: running.open_run(MONTH, actor=factories.ADA))
    run = running.open_run(MONTH, actor=factories.ADA)
    timed("draft", drain(drafting.draft_waiting))
    timed("approve", lambda: approving.approve(run.pk, actor=factories.GRACE))
    timed("start to issue", lambda: issuing.start(run.pk, actor=factories.GRACE, issue_date=factories.ISSUED_ON))
    timed("issue", drain(issuing.issue_waiting))
    seconds = time.perf_counter() - started
    run.refresh_from_db()
    print(f"{'closed' if run.state == 'closed' else run.state} in {seconds:.2f} s")
    return seconds


def drain(work: Callable[[], int]) -> Callable[[], None]:
    """Return a call that repeats ``work`` until nothing is left: a task stops after a minute."""

    def until_nothing() -> None:
        while work():
            pass

    return until_nothing


def load(accounts: int, resources: int) -> None:
    """Report a month of a made-up platform through the intake, seeded."""
    dice = random.Random(1)
    codes = [f"bench-{number:06}" for number in range(accounts)]
    with audit.acting("system:bench"):
        Account.objects.bulk_create([Account(code=code, name=code, country="US") for code in codes], batch_size=5000)
    source, _ = sources.create("bench", actor="system:bench", past_days=3650)
    events: list[ReportedEvent] = []
    for code in codes:
        for number in range(resources):
            name, product = f"{code}/{number}", PRODUCTS[number % len(PRODUCTS)]
            opened = MONTH.start + timedelta(seconds=dice.randrange(MONTH.seconds))
            said = (name, product, "duration", "web", f"{code}-app", code, None)
            events.append(ReportedEvent(0, f"{name}:o", "open", opened, *said))
            if dice.random() < 0.5:
                closed = opened + (MONTH.end - opened) * dice.random()
                events.append(ReportedEvent(0, f"{name}:c", "close", closed, *said))
    for start in range(0, len(events), BATCH):
        answer = intake.accept(source, Batch(events[start : start + BATCH], []), window=ANY_PAST)
        assert answer.complete, answer.refused[:3]
    pairing.drain()


def write_bare() -> None:
    """Write the same invoices with nothing but statements."""
    with connection.cursor() as cursor:
        for name in ("invoice", "line", "transaction", "entry"):
            cursor.execute(f"create sequence bare_{name}_id")
        cursor.execute(BARE, {"start": MONTH.start, "end": MONTH.end})


def timed(name: str, work: Callable[[], object]) -> float:
    """Run ``work``, print and return its seconds."""
    started = time.perf_counter()
    work()
    seconds = time.perf_counter() - started
    print(f"{name:20} {seconds:8.2f} s", flush=True)
    return seconds


@contextmanager
def own_database() -> Iterator[None]:
    """Make and migrate the benchmark's database; drop it at the end."""
    administer(f"drop database if exists {NAME} with (force)", f"create database {NAME}")
    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        connections.close_all()
        administer(f"drop database if exists {NAME} with (force)")


def administer(*statements: str) -> None:
    with psycopg.connect(HOUSE, autocommit=True) as server:
        for statement in statements:
            server.execute(statement)


if __name__ == "__main__":
    main()
