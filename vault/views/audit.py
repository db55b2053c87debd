"""Who changed what, when and why: the whole trail, newest first, found by table, actor, account and time."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.gates import StaffRequest, staff
from accounts.models import Account
from core.forms import DayField
from core.models import AuditEntry
from vault import story

PER_PAGE: Final = 50
THINGS: Final = (("", "Anything"), *((table, word.capitalize()) for table, word in story.THINGS.items()))


class AuditFilter(forms.Form):
    table = forms.ChoiceField(
        label="What",
        required=False,
        choices=[("", "Anything"), *((t, w.capitalize()) for t, w in story.THINGS.items())],
    )
    actor = forms.CharField(
        label="Who", required=False, widget=forms.TextInput(attrs={"placeholder": "E-mail, key: or run:"})
    )
    account = forms.CharField(
        label="Account", required=False, widget=forms.TextInput(attrs={"placeholder": "Its code"})
    )
    since = DayField(label="From")
    until = DayField(label="Through")


@require_safe
@staff("audit.view")
def audit(request: StaffRequest) -> HttpResponse:
    """One page of the trail; ``before`` is the cursor, the identifier of the last entry that was seen."""
    form = AuditFilter(request.GET)
    form.is_valid()
    page = page_of(_matching(form.cleaned_data), request.GET.get("before", ""))
    return render(request, "accounts/audit.html", {"form": form} | page)


def page_of(entries: QuerySet[AuditEntry], before: str) -> dict[str, Any]:
    """Return ``happenings`` older than the entry ``before``, and the cursor of the next page or None."""
    if before.isascii() and before.isdigit() and len(before) < 19:
        entries = entries.filter(pk__lt=int(before))
    found = list(entries.order_by("-pk")[: PER_PAGE + 1])
    more = len(found) > PER_PAGE
    return {"happenings": story.tell(found[:PER_PAGE]), "next": found[PER_PAGE - 1].pk if more else None}


def _matching(chosen: dict[str, Any]) -> QuerySet[AuditEntry]:
    found: QuerySet[AuditEntry] = AuditEntry.objects.all()
    if table := chosen.get("table"):
        found = found.filter(table=table)
    if actor := chosen.get("actor", "").strip():
        found = found.filter(actor__icontains=actor)
    if code := chosen.get("account", "").strip():
        found = found.filter(account_id__in=Account.objects.filter(code=code).values("pk"))
    if since := chosen.get("since"):
        found = found.filter(at__gte=datetime.combine(since, time(), UTC))
    if until := chosen.get("until"):
        found = found.filter(at__lt=datetime.combine(until + timedelta(days=1), time(), UTC))
    return found
