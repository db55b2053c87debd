"""Asking for a credit, and deciding on what somebody else asked for."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts import permissions, registering
from accounts.gates import StaffRequest, staff
from billing import crediting, people
from billing.forms.credits import CreditRequestForm, RefusalForm
from billing.models import CreditGrant, CreditState
from billing.views.credits import find
from core.errors import NotFound, VaultError
from core.formatting import amount_with_currency
from core.forms import blame

asked = require_http_methods(["GET", "HEAD", "POST"])
OWN = "You asked for this credit; somebody else of finance must decide on it."


@asked
@staff("credits.request")
def new(request: StaffRequest) -> HttpResponse:
    """A form for a credit; ``?account=`` fills in whose."""
    given = {"account": request.GET.get("account", ""), "partners": True}
    form = CreditRequestForm(request.POST or None, initial=given, limit=permissions.credit_limit(request.user))
    if request.method == "POST" and form.is_valid():
        try:
            account = registering.find(form.cleaned_data["account"])
            grant = crediting.request(account.pk, **form.values(), actor=request.user.actor)
        except NotFound as error:
            form.add_error("account", str(error))
        except VaultError as error:
            blame(form, error)
        else:
            messages.success(request, _outcome(grant))
            return redirect("credit", grant.pk)
    return render(request, "billing/credit_new.html", {"form": form})


@asked
@staff("credits.approve")
def approve(request: StaffRequest, key: int) -> HttpResponse:
    """Let a request become a credit."""
    grant, form = find(key), forms.Form(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        try:
            crediting.approve(key, actor=request.user.actor)
        except VaultError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{_amount(grant)} for {grant.account} is active.")
            return redirect("credits")
    would = (
        f"Gives {grant.account} ({grant.account.code}) {_amount(grant)}. Its drafts in review take of it at once, its"
        " next invoices after that. A credit that was given is never taken back."
    )
    return _page(request, grant, "Approve", would, form)


@asked
@staff("credits.approve")
def refuse(request: StaffRequest, key: int) -> HttpResponse:
    """Turn a request down, with the reason."""
    grant, form = find(key), RefusalForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            crediting.refuse(key, actor=request.user.actor, reason=form.cleaned_data["reason"])
        except VaultError as error:
            blame(form, error)
        else:
            messages.success(request, f"{_amount(grant)} for {grant.account} is refused.")
            return redirect("credits")
    would = f"Refuses {_amount(grant)} for {grant.account} ({grant.account.code}). The request stays as a record."
    return _page(request, grant, "Refuse", would, form)


def _page(request: StaffRequest, grant: CreditGrant, label: str, would: str, form: forms.Form) -> HttpResponse:
    context = {
        "grant": grant,
        "label": label,
        "consequence": would,
        "refusal": _refusal(grant, request),
        "form": form,
        "tone": "bad" if label == "Refuse" else "warn",
        "back": f"/credits/{grant.pk}/",
    }
    return render(request, "billing/credit_decision.html", context)


def _refusal(grant: CreditGrant, request: StaffRequest) -> str:
    if grant.state != CreditState.REQUESTED:
        return f"This credit is {grant.get_state_display().lower()} already."
    return OWN if people.same(grant.requested_by, request.user.actor) else ""


def _outcome(grant: CreditGrant) -> str:
    if grant.state == CreditState.ACTIVE:
        return f"{_amount(grant)} is given to {grant.account}. Drafts in review took of it at once."
    return f"{_amount(grant)} is above what you may give alone; it waits until somebody of finance approves it."


def _amount(grant: CreditGrant) -> str:
    return amount_with_currency(grant.amount, grant.currency)
