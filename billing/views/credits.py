"""Credits: what waits for a decision, everything that was given, and where each of them went."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_tables2 import RequestConfig

from accounts.gates import StaffRequest, staff
from accounts.models import Account
from accounts.permissions import has
from billing import people
from billing.forms.credits import CreditFilter
from billing.models import CreditApplication, CreditGrant, CreditState
from billing.tables.columns import who
from billing.tables.credits import TONES, ApplicationTable, CreditTable, last_usable, scope_in_words, state_of
from core import clock, formatting, history
from core.downloads import Cell, csv_download

PER_PAGE: Final = 50
HEADER: Final = (
    "credit", "account", "name", "currency", "amount", "left", "state", "scope", "third_parties", "cap_per_month",
    "expires_on", "reason", "requested_by", "requested_at", "decided_by", "decided_at",
)  # fmt: skip


@require_safe
@staff("credits.view")
def credits(request: StaffRequest) -> HttpResponse:
    """The list; above it what waits, as long as nothing is searched for."""
    form, today = CreditFilter(request.GET), clock.today()
    table = CreditTable(_matching(form, today), order_by="-requested_at", today=today)
    RequestConfig(request, paginate={"per_page": PER_PAGE}).configure(table)
    may_decide = has(request.user, "credits.approve")
    context = {
        "table": table,
        "form": form,
        "waiting": [_asked(grant, request, may_decide) for grant in _waiting()],
        "any": CreditGrant.objects.exists(),
        "may_request": has(request.user, "credits.request"),
        "may_export": has(request.user, "exports.download"),
    }
    return render(request, "billing/credits.html", context)


@require_safe
@staff("exports.download")
def export(request: StaffRequest) -> StreamingHttpResponse:
    """The same credits, all of them, as CSV."""
    today = clock.today()
    found = _matching(CreditFilter(request.GET), today).order_by("-pk")
    return csv_download("credits", HEADER, _lines(found, today))


@require_safe
@staff("credits.view")
def credit(request: StaffRequest, key: int) -> HttpResponse:
    """One credit: its terms, who gave it and why, and every invoice that took of it."""
    grant, today = find(key), clock.today()
    applications = CreditApplication.objects.filter(grant=grant).select_related("invoice", "grant")
    table = ApplicationTable(applications, order_by="-month")
    RequestConfig(request, paginate={"per_page": PER_PAGE}).configure(table)
    word = state_of(grant, today)
    context = {
        "grant": grant,
        "word": word,
        "tone": TONES.get(word, ""),
        "facts": _facts(grant),
        "table": table,
        "history": history.of("billing_creditgrant", grant.pk, added="Asked for"),
        "asked": _asked(grant, request, has(request.user, "credits.approve")),
    }
    return render(request, "billing/credit.html", context)


def find(key: int) -> CreditGrant:
    """Return the credit, or answer that there is none."""
    grant = CreditGrant.objects.select_related("account", "corrects").filter(pk=key).first()
    if grant is None:
        raise Http404(f"There is no credit {key}. Look for its account in the list of credits.")
    return grant


def _waiting() -> QuerySet[CreditGrant]:
    return CreditGrant.objects.filter(state=CreditState.REQUESTED).select_related("account").order_by("pk")


def _asked(grant: CreditGrant, request: StaffRequest, may_decide: bool) -> dict[str, object]:
    """Return a request with whether this person can decide on it."""
    own = people.same(grant.requested_by, request.user.actor)
    return {
        "grant": grant,
        "by": who(grant.requested_by),
        "own": own,
        "may_decide": may_decide and not own and grant.state == CreditState.REQUESTED,
    }


def _matching(form: CreditFilter, today: date) -> QuerySet[CreditGrant]:
    """Return the credits that the filter leaves; what of it cannot be read does not filter."""
    form.is_valid()
    chosen, found = form.cleaned_data, CreditGrant.objects.select_related("account")
    if text := chosen.get("q", "").strip():
        found = found.filter(Q(account__in=Account.objects.matching(text)) | Q(reason__icontains=text))
    if scope := chosen.get("scope"):
        found = found.filter(Q(scope__contains=[scope]) | Q(scope=[]))
    if state := chosen.get("state"):
        found = found.filter(_in_state(state, today))
    return found


def _in_state(word: str, today: date) -> Q:
    """Return the condition for ``state_of`` giving this word."""
    expired = Q(expires_on__lte=last_usable(today))
    active = Q(state=CreditState.ACTIVE)
    conditions = {
        "active": active & Q(balance__gt=0) & (Q(expires_on=None) | ~expired),
        "spent": active & Q(balance=0),
        "expired": active & Q(balance__gt=0) & expired,
    }
    return conditions.get(word, Q(state=word))


def _facts(grant: CreditGrant) -> list[tuple[str, object]]:
    cap = grant.cap_per_month
    return [
        ("Pays for", scope_in_words(grant.scope, partners=grant.partners)),
        ("At most per month", formatting.amount_with_currency(cap, grant.currency) if cap is not None else "No cap"),
        ("Ends on", formatting.day(grant.expires_on) if grant.expires_on else "Never"),
        ("Corrects invoice", grant.corrects),
        ("Asked for by", f"{who(grant.requested_by)}, {formatting.moment(grant.requested_at)}"),
        ("Decided by", _decision(grant)),
    ]


def _decision(grant: CreditGrant) -> str:
    if grant.decided_at is not None:
        return f"{who(grant.decided_by)}, {formatting.moment(grant.decided_at)}"
    return "Nobody yet" if grant.state == CreditState.REQUESTED else "Within the asker's limit"


def _lines(found: QuerySet[CreditGrant], today: date) -> Iterator[tuple[Cell, ...]]:
    for grant in found.iterator(chunk_size=2000):
        yield (
            grant.pk,
            grant.account.code,
            grant.account.name,
            grant.currency,
            grant.amount,
            grant.balance,
            state_of(grant, today),
            " ".join(grant.scope),
            grant.partners,
            grant.cap_per_month,
            grant.expires_on,
            grant.reason,
            grant.requested_by,
            grant.requested_at,
            grant.decided_by,
            grant.decided_at,
        )
