"""What is sold, what it costs, what it did cost, and what it will."""

from typing import Any

import django_tables2 as tables
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.gates import staff
from accounts.permissions import has
from billing import pricing
from billing.forms import PriceForm, as_text
from billing.models import Price, Product
from core import clock
from core.errors import VaultError
from core.tables import VaultTable


class ProductTable(VaultTable):
    """Products with what they cost today in each currency."""

    noun = "product"
    name = tables.Column(linkify=lambda record: f"/prices/{record.code}/", verbose_name="Product")
    code = tables.Column()
    group = tables.Column(accessor="get_group_display", order_by="group")
    costs = tables.Column(orderable=False, empty_values=(), verbose_name="Price today")

    def render_costs(self, record: Product) -> str:
        now = clock.now()
        valid = [p for p in record.prices.all() if p.valid_from <= now and (p.valid_to is None or p.valid_to > now)]
        return " · ".join(in_words(price) for price in valid) or "no price"


def in_words(price: Price) -> str:
    """Say a price in one breath: ``50.00 USD / month`` or ``graduated USD / request``."""
    amount = price.terms.get("unit_amount")
    return f"{amount if amount is not None else price.get_model_display()} {price.currency} / {price.unit}"


@require_safe
@staff("prices.view")
def products(request: HttpRequest) -> HttpResponse:
    """Every product, searchable; the unpriced ones are visible as such."""
    text = request.GET.get("q", "").strip()
    found: QuerySet[Product] = Product.objects.prefetch_related("prices")
    if text:
        found = found.filter(Q(code__icontains=text) | Q(name__icontains=text))
    table = ProductTable(found, order_by=request.GET.get("sort", "name"))
    table.paginate(page=_page(request), per_page=50)
    return render(request, "billing/products.html", {"table": table, "q": text})


@require_http_methods(["GET", "HEAD", "POST"])
@staff("prices.view")
def product(request: HttpRequest, code: str) -> HttpResponse:
    """One product's versions on a line of time, and a form to schedule the next one."""
    chosen = get_object_or_404(Product, code=code)
    may_edit = has(request.user, "prices.edit")
    form = PriceForm(request.POST or None, initial={"currency": "USD"})
    if request.method == "POST" and may_edit and form.is_valid() and _schedule(request, chosen, form):
        return redirect("product", code=code)
    context = {
        "product": chosen,
        "versions": [_row(price) for price in chosen.prices.order_by("currency", "-valid_from")],
        "form": form if may_edit else None,
    }
    return render(request, "billing/product.html", context)


def _schedule(request: HttpRequest, chosen: Product, form: PriceForm) -> bool:
    try:
        price = pricing.schedule(product=chosen, now=clock.now(), actor=request.user.actor, **form.values())  # type: ignore[union-attr]
    except VaultError as error:
        form.add_error(None, str(error))
        return False
    messages.success(request, f"{chosen.name} costs {in_words(price)} from {price.valid_from:%d %b %Y} on.")
    return True


def _row(price: Price) -> dict[str, Any]:
    now = clock.now()
    state = "scheduled" if price.valid_from > now else "past" if price.valid_to and price.valid_to <= now else "current"
    return {"price": price, "terms": as_text(price.terms), "state": state}


def _page(request: HttpRequest) -> int:
    text = request.GET.get("page", "1")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1
