"""What each person finds in the navigation: one table of entries and the capability that opens each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts import permissions
from accounts.models import Account


@dataclass(frozen=True, slots=True)
class Entry:
    """One door: any of ``needs`` opens it, and none means that everybody may pass."""

    label: str
    href: str
    icon: str
    needs: frozenset[str] = frozenset()
    current: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    label: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Navigation:
    """The groups that somebody sees on one page, and where their way home leads."""

    home: str
    groups: tuple[Group, ...]


def _entry(label: str, href: str, icon: str, *needs: str) -> Entry:
    return Entry(label, href, icon, frozenset(needs))


STAFF: Final[Sequence[Group]] = (
    Group("", (_entry("Home", "/", "home"), _entry("Accounts", "/accounts/", "accounts", "accounts.view"))),
    Group(
        "Billing",
        (
            _entry("Runs", "/runs/", "runs", "runs.view"),
            _entry("Invoices", "/invoices/", "invoice", "invoices.view"),
            _entry("Collections", "/collections/", "collections", "collections.view"),
            _entry("Credits", "/credits/", "credit", "credits.view", "credits.request", "credits.approve"),
            _entry("Prices", "/prices/", "price", "prices.view"),
            _entry("Mail", "/mail/", "note", "invoices.view"),
            _entry("Webhooks", "/webhooks/", "source", "webhooks.view"),
        ),
    ),
    Group(
        "Usage",
        (
            _entry("Sources", "/sources/", "source", "sources.view"),
            _entry("Reconciliation", "/usage/reconciliation/", "audit", "sources.view"),
            _entry("Usage problems", "/usage/problems/", "problem", "sources.view"),
            _entry("Amendments", "/usage/amendments/", "note", "usage.view"),
            _entry("Unbilled usage", "/usage/unbilled/", "price", "usage.view"),
        ),
    ),
    Group(
        "Insight",
        (
            _entry("Reports", "/reports/", "report", "reports.view"),
            _entry("Status", "/status/", "status", "status.view"),
            _entry("Audit", "/audit/", "audit", "audit.view"),
        ),
    ),
)
PORTAL: Final[Sequence[Group]] = (
    Group(
        "",
        (
            _entry("Overview", "/portal/", "home"),
            _entry("Usage", "/portal/usage/", "report"),
            _entry("Invoices", "/portal/invoices/", "invoice"),
            _entry("Statement", "/portal/statement/", "audit"),
            _entry("Members", "/portal/members/", "accounts"),
            _entry("API keys", "/portal/keys/", "source"),
        ),
    ),
)


def context(request: HttpRequest) -> dict[str, Any]:
    """Context processor: what the shells need, computed only when a template asks for it."""
    person = getattr(request, "user", None)
    return {
        "navigation": SimpleLazyObject(lambda: navigation(person, request.path)),
        "portal_accounts": SimpleLazyObject(lambda: tuple(Account.objects.visible_to(person).order_by("name", "code"))),
    }


def navigation(person: object, path: str) -> Navigation:
    """Return what ``person`` may open, with the entry of ``path`` marked as the current one."""
    if path.startswith("/portal/") or not permissions.is_staff_member(person):
        everything, home = PORTAL, "/portal/"
    else:
        everything, home = STAFF, "/"
    groups = [(group.label, [entry for entry in group.entries if _open(person, entry)]) for group in everything]
    current = _current([entry.href for _, entries in groups for entry in entries], path)
    return Navigation(home, tuple(Group(label, _marked(entries, current)) for label, entries in groups if entries))


def _open(person: object, entry: Entry) -> bool:
    return not entry.needs or any(permissions.has(person, need) for need in entry.needs)


def _marked(entries: Sequence[Entry], current: str) -> tuple[Entry, ...]:
    return tuple(Entry(e.label, e.href, e.icon, e.needs, e.href == current) for e in entries)


def _current(hrefs: Sequence[str], path: str) -> str:
    """The entry that ``path`` lies under most closely; the homes only count for themselves."""
    under = [href for href in hrefs if path == href or (href not in ("/", "/portal/") and path.startswith(href))]
    return max(under, key=len, default="")
