"""Create an account, change its details, close it and open it again."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts import registering
from accounts.forms import AccountForm, NewAccountForm
from accounts.gates import StaffRequest, staff
from core.errors import VaultError
from core.forms import blame


@require_http_methods(["GET", "HEAD", "POST"])
@staff("accounts.edit")
def new(request: StaffRequest) -> HttpResponse:
    """A form for a new account."""
    form = NewAccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            account = registering.register(form.fields_of_the_account(), actor=request.user.actor, reason=reason)
        except VaultError as error:
            blame(form, error)
        else:
            messages.success(request, f"{account} is registered. Its usage is billed from the running month on.")
            return redirect("account", account.code)
    return render(request, "accounts/new.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@staff("accounts.edit")
def edit(request: StaffRequest, code: str) -> HttpResponse:
    """A form for what may change of an account."""
    account = registering.find(code)
    form = AccountForm(request.POST or None, instance=account)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            registering.change(code, form.fields_of_the_account(), actor=request.user.actor, reason=reason)
        except VaultError as error:
            blame(form, error)
        else:
            messages.success(request, "The details are changed. Invoices that were issued keep the old ones.")
            return redirect("account", code)
    return render(request, "accounts/edit.html", {"form": form, "account": account, "part": "edit"})


@require_POST
@staff("accounts.edit")
def close(request: StaffRequest, code: str) -> HttpResponse:
    """Close an account; the month under way is its last."""
    account = registering.close(code, actor=request.user.actor, reason=request.POST.get("reason", ""))
    messages.success(request, f"{account} is closed. The running month is the last that is billed.")
    return redirect("account", code)


@require_POST
@staff("accounts.edit")
def reopen(request: StaffRequest, code: str) -> HttpResponse:
    """Open a closed account again."""
    account = registering.reopen(code, actor=request.user.actor, reason=request.POST.get("reason", ""))
    messages.success(request, f"{account} is open again.")
    return redirect("account", code)
