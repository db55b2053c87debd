"""An account's own terms: what was agreed and until when, and agreeing on something else after a look at the money."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import permissions, registering
from accounts.gates import StaffRequest, staff
from accounts.models import Account
from billing import contract_preview, contracting
from billing.contract_preview import Preview
from billing.contract_wording import in_words
from billing.forms.contracts import EndForm, Proposal
from billing.models import Contract
from core import clock, formatting
from core.errors import VaultError
from core.forms import blame
from core.periods import Month


@require_safe
@staff("prices.view")
def contracts(request: StaffRequest, code: str) -> HttpResponse:
    """Every contract, newest first, in words."""
    account = registering.find(code)
    return render(request, "accounts/contracts.html", _listed(request, account))


@require_http_methods(["GET", "HEAD", "POST"])
@staff("prices.edit")
def new(request: StaffRequest, code: str) -> HttpResponse:
    """A form, what the last month would have come to, and only then the contract."""
    account = registering.find(code)
    proposal = Proposal(request.POST if request.method == "POST" else None, account.currency)
    looked: Preview | None = None
    if request.method == "POST" and proposal.is_valid():
        try:
            terms, prices = proposal.terms(), proposal.own_prices()
            if "agree" in request.POST:
                contract = contracting.agree(
                    account.pk, terms=terms, prices=prices, actor=request.user.actor, **proposal.said()
                )
                messages.success(request, f"{contract.name} counts from {formatting.month(contract.valid_from)} on.")
                return redirect("account_contracts", code)
            looked = contract_preview.preview(account, terms, prices, as_of=clock.now())
        except VaultError as error:
            blame(proposal.contract, error)
    context = {"account": account, "part": "contracts", "proposal": proposal, "looked": looked}
    return render(request, "accounts/contract_new.html", context)


@require_POST
@staff("prices.edit")
def end(request: StaffRequest, code: str, key: int) -> HttpResponse:
    """Let a contract end; what was billed under it stays."""
    account = registering.find(code)
    if not account.contracts.filter(pk=key).exists():
        raise Http404("This account has no such contract.")
    form = EndForm(request.POST)
    if form.is_valid():
        try:
            ended = contracting.end(key, actor=request.user.actor, **form.cleaned_data)
        except VaultError as error:
            blame(form, error)
        else:
            last = Month.containing(form.cleaned_data["valid_to"].first_day).previous
            messages.success(request, f"{ended.name} ends with {formatting.month(last.first_day)}.")
            return redirect("account_contracts", code)
    return render(request, "accounts/contracts.html", _listed(request, account) | {"ending": key, "end_form": form})


def _listed(request: StaffRequest, account: Account) -> dict[str, Any]:
    found = Contract.objects.filter(account=account).prefetch_related("prices__product").order_by("-valid_from")
    today = clock.today()
    return {
        "account": account,
        "part": "contracts",
        "contracts": [(contract, in_words(contract), contract.state(today)) for contract in found],
        "end_form": EndForm(),
        "may_edit": permissions.has(request.user, "prices.edit"),
    }
