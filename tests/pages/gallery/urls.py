"""Every component on a page of each shell, for tests and for whoever wants to look: no model, no database."""

import json
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import django_tables2 as tables
from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template import engines
from django.urls import path
from django_tables2 import RequestConfig

from core.periods import Month
from core.tables import AmountColumn, DayColumn, MonthColumn, QuantityColumn, StatusColumn, VaultTable

HERE = Path(__file__).parent
STATUSES = ("paid", "open", "past_due", "draft", "void", "held")
NAMES = ("Acme Robotics", "Börse & Söhne <GmbH>", "Café Ñandú", "Globex Corporation", "Initech", "東京データ株式会社")


class Choice(NamedTuple):
    code: str
    name: str

    def __str__(self) -> str:
        return self.name


PORTAL_ACCOUNTS = (Choice("acme", "Acme Robotics"), Choice("globex", "Globex Corporation"))


class InvoiceTable(VaultTable):
    noun = "invoice"
    number = tables.Column(linkify=lambda record: f"/gallery/detail/?number={record['number']}")
    account = tables.Column()
    period = MonthColumn()
    due_on = DayColumn(verbose_name="Due")
    status = StatusColumn()
    hours = QuantityColumn(verbose_name="Dyno hours")
    total = AmountColumn()


class Filters(forms.Form):
    q = forms.CharField(label="Number or account", required=False, widget=forms.TextInput(attrs={"type": "search"}))
    status = forms.ChoiceField(choices=[("", "All"), *((word, word) for word in STATUSES)], required=False)
    due = forms.DateField(label="Due before", required=False, widget=forms.DateInput(attrs={"type": "date"}))


class Credit(forms.Form):
    amount = forms.DecimalField(label="Amount", help_text="In USD; above 100.00 USD finance decides.", max_value=100)
    reason = forms.CharField(label="Reason", widget=forms.Textarea(attrs={"rows": 3}))
    kind = forms.ChoiceField(choices=[("g", "Goodwill"), ("c", "Correction")], widget=forms.RadioSelect)
    notify = forms.BooleanField(label="Tell the customer by e-mail", required=False)


class Confirmation(forms.Form):
    typed = forms.CharField(label="Type the month to go on", help_text="For example 2026-10.")


def rows() -> list[dict[str, Any]]:
    return [
        {
            "number": f"VLT-2026-{index:06d}",
            "account": NAMES[index % len(NAMES)],
            "period": date(2026, 10, 1),
            "due_on": date(2026, 11, 1 + index % 28),
            "status": STATUSES[index % len(STATUSES)],
            "hours": Decimal(index * 37) / 4,
            "total": Decimal(index * index * 317) / 100 - 40,
            "currency": "JPY" if index % 6 == 5 else "USD",
        }
        for index in range(1, 215)
    ]


def listing(request: HttpRequest) -> HttpResponse:
    wanted = request.GET.get("status", "")
    found = [row for row in rows() if wanted in ("", row["status"])]
    found = [row for row in found if request.GET.get("q", "").lower() in row["account"].lower()]
    table = InvoiceTable(found)
    RequestConfig(request, paginate={"per_page": 25}).configure(table)
    return page(request, (HERE / "listing.html").read_text(), table=table, form=Filters(request.GET or None))


def detail(request: HttpRequest, shell: str = "base.html") -> HttpResponse:
    for level in (messages.SUCCESS, messages.WARNING, messages.ERROR):
        messages.add_message(request, level, "The credit of 25.00 USD waits for somebody else's approval.")
    if request.method == "POST":
        time.sleep(0.3)
    form = Credit({"amount": "1000"})
    form.is_valid()
    return page(
        request,
        (HERE / "detail.html").read_text().replace("base.html", shell),
        number=request.GET.get("number", "VLT-2026-000214"),
        form=form,
        confirmation=Confirmation(),
        facts=[
            ("Number", "VLT-2026-000214"),
            ("Account", "Acme Robotics"),
            ("Tax identity", "DE 129 273 398"),
            ("Note", ""),
        ],
        tabs=[
            {"label": "Lines", "href": "?", "current": True, "count": 1214},
            {"label": "Payments", "href": "?payments", "current": False, "count": 0},
            {"label": "History", "href": "?history", "current": False},
        ],
        months=[(f"{Month(2026, n)}", Decimal(n * n * 211) - 900, "/gallery/") for n in range(1, 13)],
        labels=[f"{day} Oct" for day in range(1, 32)],
        series=[
            ("Dyno hours", [Decimal(400 + (d * 37) % 90) for d in range(31)]),
            ("Add-ons", [d * 9 for d in range(31)]),
        ],
        single=[("Dyno hours", [Decimal(400 + (d * 37) % 90) for d in range(31)])],
        buckets=[
            ("Not due", "41200.10"),
            ("1–30 days", "8100"),
            ("31–60 days", "2400"),
            ("61–90 days", "900"),
            ("Over 90 days", "310.55", "/"),
        ],
        trend=[3, 4, 4, 6, 5, 8, 9],
        amount=Decimal("-1234567.891"),
        at=datetime(2026, 11, 24, 20, 17, tzinfo=UTC),
        statuses=("paid", "open", "past_due", "draft", "held", "uncollectible", "requires_action"),
        history=[
            {
                "at": datetime(2026, 11, 24, 20, 17, tzinfo=UTC),
                "actor": "ada@example.com",
                "what": "Approved the run",
                "reason": "Checked the ten largest",
                "href": "/",
            },
            {
                "at": datetime(2026, 11, 24, 18, 2, tzinfo=UTC),
                "actor": "run:7",
                "what": "Drafted 214 invoices",
                "detail": json.dumps({"status": ["rating", "review"]}),
            },
        ],
        plain_page=Paginator(range(120), 50).page(2),
        portal_accounts=PORTAL_ACCOUNTS,
    )


def moved(request: HttpRequest) -> HttpResponse:
    """A list whose next answer comes from elsewhere, as after a session has ended."""
    return redirect("/gallery/detail/?moved") if request.GET else listing(request)


def broken(request: HttpRequest) -> HttpResponse:
    """A list whose next answer is an error."""
    return HttpResponse("broken", status=500) if request.GET else listing(request)


def portal(request: HttpRequest) -> HttpResponse:
    request.account = PORTAL_ACCOUNTS[1]  # type: ignore[attr-defined]
    return detail(request, "base_portal.html")


def named(request: HttpRequest, name: str) -> HttpResponse:
    form = Credit()
    return HttpResponse(engines["django"].get_template(name).render({"form": form, "next": "/"}, request))


def page(request: HttpRequest, source: str, **context: Any) -> HttpResponse:
    return HttpResponse(engines["django"].from_string(source).render(context, request))


urlpatterns = [
    path("", listing),
    path("gallery/", listing),
    path("invoices/", listing),
    path("gallery/detail/", detail),
    path("portal/", portal),
    path("gallery/moved/", moved),
    path("gallery/broken/", broken),
    path("gallery/template/<path:name>", named),
]
