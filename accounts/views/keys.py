"""An account's API keys, as staff see them: made once, shown once, revoked for good."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts import minting, permissions, registering
from accounts.forms import KeyForm
from accounts.gates import StaffRequest, staff
from core import clock
from core.errors import VaultError
from core.forms import blame
from core.keys import NewKey


@require_http_methods(["GET", "HEAD"])
@staff("accounts.view")
def keys(request: StaffRequest, code: str) -> HttpResponse:
    """Every key with what it may do and when it was last used."""
    return _page(request, code, KeyForm())


@require_POST
@staff("accounts.edit")
def create(request: StaffRequest, code: str) -> HttpResponse:
    """Make a key; this answer is the only one that ever shows it."""
    form = KeyForm(request.POST)
    if form.is_valid():
        chosen = {"name": form.cleaned_data["name"], "expires_at": form.expires_at}
        try:
            secret = minting.for_account(
                registering.find(code), form.cleaned_data["scopes"], actor=request.user.actor, **chosen
            )
        except VaultError as error:
            blame(form, error)
        else:
            return _page(request, code, KeyForm(), secret)
    return _page(request, code, form)


@require_POST
@staff("accounts.edit")
def revoke(request: StaffRequest, code: str, prefix: str) -> HttpResponse:
    """End a key at once."""
    minting.revoke(prefix, account=registering.find(code), actor=request.user.actor)
    messages.success(request, f"The key {prefix} is revoked: whatever uses it is refused from now on.")
    return redirect("account_keys", code)


def _page(request: StaffRequest, code: str, form: KeyForm, secret: NewKey | None = None) -> HttpResponse:
    account = registering.find(code)
    context = {
        "account": account,
        "part": "keys",
        "keys": account.api_keys.order_by("-created_at"),
        "now": clock.now(),
        "form": form,
        "secret": secret,
        "list_url": reverse("account_keys", args=[code]),
        "create_url": reverse("account_key_create", args=[code]),
        "may_edit": permissions.has(request.user, "accounts.edit"),
    }
    return render(request, "accounts/keys.html", context)
