"""An account's credits, and giving it one: at once within one's limit, above it as a request that finance decides."""

from decimal import Decimal
from typing import Any

import django_tables2 as tables
from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts import permissions, registering
from accounts.gates import StaffRequest, staff
from accounts.models import Account, User
from billing import crediting
from billing.models import CreditGrant, CreditState, ProductGroup
from core.errors import VaultError
from core.formatting import amount_with_currency
from core.forms import blame
from vault.tables import CreditTable

REQUEST = "credits.request"


class CreditForm(forms.Form):
    amount = forms.DecimalField(max_digits=19, decimal_places=4, localize=False)
    reason = forms.CharField(max_length=500, help_text="Finance and the customer read it.")
    scope = forms.MultipleChoiceField(
        label="Only for",
        choices=ProductGroup.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="None ticked: it may pay for everything.",
    )
    expires_on = forms.DateField(
        label="Ends on",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Months that begin on or after this day cannot use it.",
    )

    def __init__(self, *args: Any, account: Account, person: object, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limit, given = permissions.credit_limit(person), Decimal(0)
        if isinstance(person, User) and limit:
            given = crediting.given_alone(account, person)
        left = amount_with_currency(max(limit - given, Decimal(0)), account.currency)
        self.fields["amount"].label = f"Amount in {account.currency}"
        self.fields[
            "amount"
        ].help_text = f"Up to {left} more this month; what is above waits until somebody of finance approves it."


@require_safe
@staff("credits.view")
def credits(request: StaffRequest, code: str) -> HttpResponse:
    """Every grant, and the form for whoever may give one."""
    account = registering.find(code)
    return _page(request, account, CreditForm(account=account, person=request.user))


@require_POST
@staff(REQUEST)
def grant(request: StaffRequest, code: str) -> HttpResponse:
    """Give a credit, or ask for it."""
    account = registering.find(code)
    form = CreditForm(request.POST, account=account, person=request.user)
    if form.is_valid():
        try:
            given = crediting.request(account.pk, **form.cleaned_data, actor=request.user.actor)
        except VaultError as error:
            blame(form, error)
        else:
            _tell(request, given)
            return redirect("account_credits", code)
    return _page(request, account, form)


def _tell(request: StaffRequest, given: CreditGrant) -> None:
    amount = amount_with_currency(given.amount, given.currency)
    if given.state == CreditState.ACTIVE:
        messages.success(request, f"{amount} are credited; the next invoice takes them.")
    else:
        messages.warning(request, f"{amount} are above your limit: somebody of finance must approve them.")


def _page(request: StaffRequest, account: Account, form: CreditForm) -> HttpResponse:
    table = CreditTable(CreditGrant.objects.filter(account=account), order_by="-requested_at")
    tables.RequestConfig(request, paginate={"per_page": 50, "silent": True}).configure(table)
    context = {
        "account": account,
        "part": "credits",
        "table": table,
        "form": form if permissions.has(request.user, REQUEST) else None,
    }
    return render(request, "accounts/credits.html", context)
