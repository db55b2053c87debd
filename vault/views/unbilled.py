"""Usage that cannot be billed, and what a person does about it: state its owner, price it, or accept that it is not."""

import json
import uuid
from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_tables2 import RequestConfig

from accounts import registering
from accounts.gates import StaffRequest, staff
from accounts.permissions import has
from billing import unbilled, unpriced, waivers, waiving
from billing.models import Product, UsageWaiver
from core import clock, databases, formatting
from core.errors import Invalid, VaultError
from core.forms import UTCField, blame
from core.periods import Month, Span
from core.tables import VaultTable
from usage import completeness, ownerships
from usage.ownerships import Statement
from vault.unbilled_tables import StrangerTable, UnownedUsageTable, UnpricedUsageTable, WaiverTable

ACCEPT: Final = "invoices.adjust"
OWN: Final = "usage.edit"
MOST: Final = 500  # pieces accepted at once
KINDS: Final = {
    "unowned": "Unowned usage",
    "unpriced": "Unpriced usage",
    "strangers": "Unknown accounts",
    "accepted": "Accepted as not billed",
}
ABOUT: Final = {
    "unowned": "Used while nobody owned it. Whoever owned it before or after is held in the run until it is settled.",
    "unpriced": "Used without a price in the account's currency. The account is held in the run until it is settled.",
    "strangers": "Owned by accounts that are not registered here: billed to nobody until they are.",
    "accepted": "What people accepted as not billed, and why. A waiver that is withdrawn lets its usage wait again.",
}


class AcceptForm(forms.Form):
    """What is accepted, and why."""

    kind = forms.ChoiceField(choices=[("unowned", ""), ("unpriced", "")], widget=forms.HiddenInput)
    month = forms.CharField(widget=forms.HiddenInput)
    key = forms.JSONField(widget=forms.HiddenInput)
    reason = forms.CharField(max_length=500, label="Reason", help_text="Kept in the history for ever.")


class WithdrawForm(forms.Form):
    reason = forms.CharField(max_length=500, label="Reason", help_text="Kept in the history for ever.")


class OwnForm(forms.Form):
    """Who owned a resource, and when."""

    resource = forms.CharField(max_length=200)
    app = forms.CharField(max_length=200, required=False)
    account = forms.CharField(max_length=200, help_text="The account's code.")
    start = UTCField(label="From", help_text="The first moment that is theirs, UTC.")
    end = UTCField(label="Until", required=False, help_text="The first moment that is not; nothing: it goes on.")


@require_safe
@staff("usage.view")
def unbilled_usage(request: StaffRequest) -> HttpResponse:
    """One month's usage that nobody is billed for, one kind at a time."""
    now = clock.now()
    month = Month.parse(request.GET["month"]) if request.GET.get("month") else Month.containing(now).previous
    kind = request.GET["kind"] if request.GET.get("kind") in KINDS else "unowned"
    may_accept = has(request.user, ACCEPT) and kind in ("unowned", "unpriced")
    table, count = _table(request, month, kind)
    if not may_accept and "chosen" in table.columns.names():
        table.columns.hide("chosen")
    RequestConfig(request, paginate={"per_page": 50, "silent": True}).configure(table)
    context = {
        "month": month,
        "before": month.previous,
        "after": month.next if month < Month.containing(now) else None,
        "kind": kind,
        "about": ABOUT[kind],
        "table": table,
        "count": count,
        "over": now >= month.end,
        "may_accept": may_accept,
        "tabs": _tabs(month, kind, count),
    }
    return render(request, "usage/unbilled.html", context)


def _table(request: StaffRequest, month: Month, kind: str) -> tuple[VaultTable, int]:
    now = clock.database_now(databases.usage())
    span = Span(month.start, max(min(month.end, now), month.start + (month.end - month.start) / 10**6))
    rows: Sequence[Any]
    if kind == "unowned":
        found = completeness.unowned(span, cutoff=now)
        rows = [piece for piece, _ in waivers.still_unowned(found, waivers.unowned(month, clock.database_now()))]
        may_own = has(request.user, OWN)
        return UnownedUsageTable(rows, month=month, may_own=may_own, order_by="-used"), len(rows)
    if kind == "unpriced":
        rows = unpriced.unpriced(month, cutoff=now)
        products = set(Product.objects.values_list("code", flat=True))
        return UnpricedUsageTable(rows, products=products, order_by=("product", "account")), len(rows)
    if kind == "strangers":
        rows = [(code,) for code in completeness.strangers(span, cutoff=now)]
        return StrangerTable(rows), len(rows)
    made = UsageWaiver.objects.filter(month=month.first_day).select_related("account")
    return WaiverTable(made, may_accept=has(request.user, ACCEPT)), made.filter(withdrawn_at=None).count()


def _tabs(month: Month, kind: str, count: int) -> list[dict[str, Any]]:
    """Return the kinds; the count of the one that is shown is of this moment, the others are as last counted."""
    last = {counted.month: counted for counted in unbilled.latest(clock.database_now())}.get(month.first_day)
    return [
        {
            "label": label,
            "href": f"?month={month}&kind={name}",
            "current": name == kind,
            "count": count if name == kind else getattr(last, name, None),
        }
        for name, label in KINDS.items()
    ]


@require_POST
@staff(ACCEPT)
def accept(request: StaffRequest) -> HttpResponse:
    """Say what would be accepted and ask for the reason; then accept it."""
    kind, month = request.POST.get("kind", ""), Month.parse(request.POST.get("month", ""))
    if kind not in ("unowned", "unpriced"):
        raise Invalid("Only unowned and unpriced usage is accepted here.", field="kind")
    pieces = _pieces(request)
    back = f"/usage/unbilled/?month={month}&kind={kind}"
    if not pieces:
        messages.error(request, "Tick what is accepted as not billed.")
        return redirect(back)
    said = {"kind": kind, "month": str(month), "key": pieces}
    form = AcceptForm(request.POST if "reason" in request.POST else None, initial=said)
    if form.is_bound and form.is_valid():
        verb = waiving.accept_unowned if kind == "unowned" else waiving.accept_unpriced
        try:
            made = verb(month, pieces, reason=form.cleaned_data["reason"], actor=request.user.actor)
        except VaultError as error:
            blame(form, error)
        else:
            messages.success(
                request, f"{len(made):,} accepted as not billed. Retry the accounts that it held in the run."
            )
            return redirect(back)
    context = {"form": form, "back": back, "consequence": _consequence(kind, month, pieces), "count": len(pieces)}
    return render(request, "usage/unbilled_accept.html", context)


def _pieces(request: StaffRequest) -> list[tuple[str, str]]:
    """Return the pieces that were ticked: pairs of texts."""
    try:
        found = [json.loads(text) for text in request.POST.getlist("key")]
        found = found[0] if len(found) == 1 and found[0] and isinstance(found[0][0], list) else found
        pieces = [(str(first), str(second)) for first, second in found]
    except (ValueError, TypeError, IndexError, KeyError) as error:
        raise Invalid("That is not what the list offers; tick it there again.", field="key") from error
    if len(pieces) > MOST:
        raise Invalid(f"Accept at most {MOST} at once.", field="key")
    return pieces


def _consequence(kind: str, month: Month, pieces: Sequence[tuple[str, str]]) -> str:
    names = ", ".join(f"{second} of {first}" for first, second in pieces[:3]) + (" …" if len(pieces) > 3 else "")
    what = "used without an owner" if kind == "unowned" else "used without a price"
    later = (
        "More of it that becomes known waits again."
        if kind == "unowned"
        else "A price that is added later does not bill it either."
    )
    return (
        f"Bills nobody for {len(pieces):,} of what was {what} in {formatting.month(month)} ({names}). Its accounts are"
        f" held no longer once they are retried in the run. {later} It can be withdrawn."
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff(ACCEPT)
def withdraw(request: StaffRequest, key: int) -> HttpResponse:
    """Let a waiver stand no longer."""
    waiver = UsageWaiver.objects.select_related("account").filter(pk=key).first()
    month = Month.containing(waiver.month) if waiver else Month.containing(clock.today())
    back = f"/usage/unbilled/?month={month}&kind=accepted"
    form = WithdrawForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        waiving.withdraw(key, reason=form.cleaned_data["reason"], actor=request.user.actor)
        messages.success(request, "The waiver is withdrawn; its usage waits again.")
        return redirect(back)
    consequence = f"Withdraws the waiver of {waiver}: its accounts are held again when their month is drafted anew."
    return render(request, "usage/unbilled_withdraw.html", {"form": form, "back": back, "consequence": consequence})


@require_http_methods(["GET", "HEAD", "POST"])
@staff(OWN)
def own(request: StaffRequest) -> HttpResponse:
    """State who owned a resource; usage itself is not touched."""
    asked = request.GET.dict()
    start = Month.parse(asked["month"]).start if asked.get("month") else None
    form = OwnForm(request.POST or None, initial=asked | ({"start": start} if start else {}))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            code = registering.find(given["account"]).code
            said = Statement(
                f"page:{uuid.uuid4()}", code, given["resource"], given["app"], given["start"], given["end"]
            )
            ownerships.state(said, by=request.user.actor)
        except VaultError as error:
            blame(form, error)
        else:
            messages.success(request, f"{code} owns {given['resource']} from {formatting.moment(given['start'])} on.")
            return redirect("unbilled")
    return render(request, "usage/unbilled_own.html", {"form": form})
