"""Who and what may see the account: its members and its API keys. Everybody sees them, owners change them."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts import enrolling, minting
from accounts.forms import InviteForm, KeyForm
from accounts.gates import PortalRequest, customer, owner
from core import clock
from core.errors import VaultError
from core.forms import blame
from core.keys import NewKey


@require_safe
@customer
def members(request: PortalRequest) -> HttpResponse:
    """Who acts for the account."""
    return _members(request, InviteForm())


@require_POST
@owner
def invite(request: PortalRequest) -> HttpResponse:
    """Invite somebody by e-mail."""
    form = InviteForm(request.POST)
    if form.is_valid():
        actor, base_url = request.user.actor, settings.BASE_URL
        try:
            enrolling.invite(request.account, **form.cleaned_data, actor=actor, base_url=base_url)
        except VaultError as error:
            blame(form, error)
        else:
            messages.success(request, f"{form.cleaned_data['email']} is a member, and a letter is on its way.")
            return redirect("portal_members")
    return _members(request, form)


@require_POST
@owner
def change_role(request: PortalRequest, membership: int) -> HttpResponse:
    """Make a member owner or viewer."""
    role = request.POST.get("role", "")
    changed = enrolling.change_role(request.account, membership, role, actor=request.user.actor)
    messages.success(request, f"{changed.user} is now {changed.role}.")
    return redirect("portal_members")


@require_POST
@owner
def remove(request: PortalRequest, membership: int) -> HttpResponse:
    """End a membership."""
    removed = enrolling.remove(request.account, membership, actor=request.user.actor)
    messages.success(request, f"{removed.user} no longer sees {request.account}.")
    return redirect("portal_members" if removed.user != request.user else "portal")


@require_safe
@customer
def keys(request: PortalRequest) -> HttpResponse:
    """The keys of the account's programs."""
    return _keys(request, KeyForm())


@require_POST
@owner
def create_key(request: PortalRequest) -> HttpResponse:
    """Make a key; this answer is the only one that ever shows it."""
    form = KeyForm(request.POST)
    if form.is_valid():
        chosen = {"name": form.cleaned_data["name"], "expires_at": form.expires_at}
        try:
            secret = minting.for_account(
                request.account, form.cleaned_data["scopes"], actor=request.user.actor, **chosen
            )
        except VaultError as error:
            blame(form, error)
        else:
            return _keys(request, KeyForm(), secret)
    return _keys(request, form)


@require_POST
@owner
def revoke_key(request: PortalRequest, prefix: str) -> HttpResponse:
    """End a key at once."""
    minting.revoke(prefix, account=request.account, actor=request.user.actor)
    messages.success(request, f"The key {prefix} is revoked: whatever uses it is refused from now on.")
    return redirect("portal_keys")


def _members(request: PortalRequest, form: InviteForm) -> HttpResponse:
    context = {
        "members": request.account.memberships.select_related("user").order_by("role", "user__email"),
        "form": form,
        "list_url": reverse("portal_members"),
        "invite_url": reverse("portal_invite"),
        "may_edit": request.is_owner,
    }
    return render(request, "portal/members.html", context)


def _keys(request: PortalRequest, form: KeyForm, secret: NewKey | None = None) -> HttpResponse:
    context = {
        "keys": request.account.api_keys.order_by("-created_at"),
        "now": clock.now(),
        "form": form,
        "secret": secret,
        "list_url": reverse("portal_keys"),
        "create_url": reverse("portal_key_create"),
        "may_edit": request.is_owner,
    }
    return render(request, "portal/keys.html", context)
