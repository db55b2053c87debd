"""What is sold, what it costs, what it did cost, and what it will."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe
from django_tables2 import RequestConfig

from accounts.gates import StaffRequest, staff
from accounts.permissions import has
from billing import pricing
from billing.forms.prices import PriceForm, ProductForm
from billing.models import Price, Product
from billing.tables.prices import ProductTable, address, in_words, state
from core import clock, formatting
from core.errors import VaultError
from core.forms import blame

TONES: Final = {"scheduled": "info", "current": "good", "past": "quiet"}


@require_safe
@staff("prices.view")
def products(request: StaffRequest) -> HttpResponse:
    """Every product, searchable; the unpriced ones are visible as such."""
    text = request.GET.get("q", "").strip()
    found: QuerySet[Product] = Product.objects.prefetch_related(Prefetch("prices", Price.objects.listed()))
    if text:
        found = found.filter(Q(code__icontains=text) | Q(name__icontains=text))
    table = ProductTable(found, order_by="name", now=clock.now())
    RequestConfig(request, paginate={"per_page": 50}).configure(table)
    context = {"table": table, "q": text, "may_edit": has(request.user, "prices.edit")}
    return render(request, "billing/products.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("prices.edit")
def new_product(request: StaffRequest) -> HttpResponse:
    """A form for something new to sell; ``?code=`` fills in what usage named and nobody sold."""
    form = ProductForm(request.POST or None, initial={"code": request.GET.get("code", "")})
    if request.method == "POST" and form.is_valid():
        try:
            added = pricing.add_product(**form.cleaned_data, actor=request.user.actor)
        except VaultError as error:
            blame(form, error)
        else:
            messages.success(request, f"{added.name} is on the list. Schedule what it costs.")
            return redirect(address(added))
    return render(request, "billing/product_new.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@staff("prices.view", to_write="prices.edit")
def product(request: StaffRequest, code: str) -> HttpResponse:
    """One product's versions on a line of time, and a form to schedule the next one."""
    chosen = Product.objects.filter(code=code).first()
    if chosen is None:
        raise Http404(f"Nothing is sold as {code!r:.80}. Look for it among all prices.")
    form = PriceForm(request.POST or None, initial={"currency": "USD"}) if has(request.user, "prices.edit") else None
    if request.method == "POST" and form is not None and form.is_valid() and _schedule(request, chosen, form):
        return redirect(address(chosen))
    versions = list(chosen.prices.listed().order_by("currency", "-valid_from"))
    now = clock.now()
    context = {
        "product": chosen,
        "versions": [
            {"price": p, "terms": as_text(p.terms), "state": state(p, now), "tone": TONES[state(p, now)]}
            for p in versions
        ],
        "charts": _charts(versions, now),
        "form": form,
    }
    return render(request, "billing/product.html", context)


def _schedule(request: StaffRequest, chosen: Product, form: PriceForm) -> bool:
    try:
        price = pricing.schedule(product=chosen, now=clock.now(), actor=request.user.actor, **form.values())
    except VaultError as error:
        blame(form, error)
        return False
    messages.success(request, f"{chosen.name} costs {in_words(price)} from {formatting.day(price.valid_from)} on.")
    return True


def as_text(terms: dict[str, Any]) -> str:
    """Write what a version's terms say beyond its amount, for people who compare versions."""
    rest = {key: value for key, value in terms.items() if key not in ("model", "unit_amount")}
    return json.dumps(rest, sort_keys=True) if rest else ""


def _charts(versions: Sequence[Price], now: datetime) -> list[dict[str, Any]]:
    """One chart per currency whose amount has changed: a bar per version, oldest first."""
    charts = []
    for currency in sorted({price.currency for price in versions}):
        told = [p for p in reversed(versions) if p.currency == currency and "unit_amount" in p.terms]
        if len(told) > 1:
            points = [(f"from {formatting.day(p.valid_from)}", str(p.terms["unit_amount"])) for p in told]
            charts.append({"title": "Amount by version", "currency": currency, "points": points})
    return charts
