"""The people who act for an account, as staff see them."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts import enrolling, permissions, registering
from accounts.forms import InviteForm
from accounts.gates import StaffRequest, staff
from core.errors import VaultError
from core.forms import blame


@require_http_methods(["GET", "HEAD"])
@staff("accounts.view")
def members(request: StaffRequest, code: str) -> HttpResponse:
    """Who they are, and a form to invite another for those who may."""
    return _page(request, code, InviteForm())


@require_POST
@staff("accounts.edit")
def invite(request: StaffRequest, code: str) -> HttpResponse:
    """Invite somebody by e-mail."""
    form = InviteForm(request.POST)
    if form.is_valid():
        account = registering.find(code)
        try:
            enrolling.invite(account, **form.cleaned_data, actor=request.user.actor, base_url=settings.BASE_URL)
        except VaultError as error:
            blame(form, error)
        else:
            messages.success(request, f"{form.cleaned_data['email']} is a member, and a letter is on its way.")
            return redirect("account_members", code)
    return _page(request, code, form)


@require_POST
@staff("accounts.edit")
def change_role(request: StaffRequest, code: str, membership: int) -> HttpResponse:
    """Make a member owner or viewer."""
    account, role = registering.find(code), request.POST.get("role", "")
    changed = enrolling.change_role(account, membership, role, actor=request.user.actor)
    messages.success(request, f"{changed.user} is now {changed.role} of {account}.")
    return redirect("account_members", code)


@require_POST
@staff("accounts.edit")
def remove(request: StaffRequest, code: str, membership: int) -> HttpResponse:
    """End a membership."""
    account = registering.find(code)
    removed = enrolling.remove(account, membership, actor=request.user.actor)
    messages.success(request, f"{removed.user} no longer sees {account}.")
    return redirect("account_members", code)


def _page(request: StaffRequest, code: str, form: InviteForm) -> HttpResponse:
    account = registering.find(code)
    context = {
        "account": account,
        "part": "members",
        "members": account.memberships.select_related("user").order_by("role", "user__email"),
        "form": form,
        "list_url": reverse("account_members", args=[code]),
        "invite_url": reverse("account_invite", args=[code]),
        "may_edit": permissions.has(request.user, "accounts.edit"),
    }
    return render(request, "accounts/members.html", context)
