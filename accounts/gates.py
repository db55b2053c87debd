"""The two doors for people: staff enter by capability, customers by membership of the account they look at."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from accounts import permissions
from accounts.models import Account, Membership, MembershipRole, User

READS = ("GET", "HEAD", "OPTIONS")
View = Callable[..., HttpResponseBase]
CHOSEN = "portal_account"  # the session's key for the account that a customer looks at
ROLE_LACKS_THIS = "Your role does not include this. Ask somebody whose role does, or an operator to change yours."
NO_MEMBERSHIP = "You are not a member of any account. Ask an owner of yours to invite you."
OWNERS_ONLY = "Only an owner of this account may do this. Ask one of them to do it, or to make you an owner."


class StaffRequest(HttpRequest):
    """A request that ``staff`` let in."""

    user: User  # type: ignore[assignment]  # the gate proved that somebody is signed in


class PortalRequest(StaffRequest):
    """A request that ``customer`` let in: whose numbers are shown, and as what this person sees them."""

    account: Account
    membership: Membership
    is_owner: bool


def staff(capability: str, *, to_write: str = "") -> Callable[[View], View]:
    """Let members of staff with ``capability`` in; strangers are sent to sign in, everybody else is refused.

    A page that many read and few change also names the capability that its form takes: ``to_write``.
    """

    def guard(view: View) -> View:
        @wraps(view)
        @login_required
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            needs = to_write if to_write and request.method not in READS else capability
            if permissions.has(request.user, needs):
                return view(request, *args, **kwargs)
            if request.path == "/" and not permissions.is_staff_member(request.user):
                return redirect("portal")  # a customer who typed the bare address
            raise PermissionDenied(ROLE_LACKS_THIS)

        return guarded

    return guard


def customer(view: View) -> View:
    """Let members of an account in, with ``request.account`` the one they chose and ``request.membership`` theirs."""

    @wraps(view)
    @login_required
    def guarded(request: PortalRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.membership = _chosen(request)
        request.account = request.membership.account
        request.is_owner = request.membership.role == MembershipRole.OWNER
        return view(request, *args, **kwargs)

    return guarded


def owner(view: View) -> View:
    """Like ``customer``, for what only an owner of the account may do."""

    @wraps(view)
    @customer
    def guarded(request: PortalRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.is_owner:
            raise PermissionDenied(OWNERS_ONLY)
        return view(request, *args, **kwargs)

    return guarded


def choose(request: HttpRequest, code: str) -> None:
    """Remember which of their accounts a customer looks at; somebody else's is not found."""
    if not Membership.objects.filter(account__code=code, user=request.user.pk).exists():
        raise Http404("There is no such account, or it is not yours.")
    request.session[CHOSEN] = code


def _chosen(request: HttpRequest) -> Membership:
    memberships = list(
        Membership.objects.select_related("account").filter(user=request.user.pk).order_by("account__name", "account")
    )
    if not memberships:
        raise PermissionDenied(NO_MEMBERSHIP)
    code = request.session.get(CHOSEN)
    return next((found for found in memberships if found.account.code == code), memberships[0])
