"""One resource over time: when it ran, on what, who owned it and what was corrected, as believed now or at any time."""

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.gates import StaffRequest, staff
from accounts.permissions import has
from core import clock
from core.forms import UTCField
from usage import biography
from usage.addresses import resource_url


class KnownForm(forms.Form):
    """As of when."""

    known_at = UTCField(required=False, label="As it was believed at (UTC; now when empty)")


@require_safe
@staff("usage.view")
def resource(request: StaffRequest, name: str) -> HttpResponse:
    """What is believed now, and everything that was believed before below it; or only what was believed at a time."""
    form = KnownForm(request.GET)
    known_at = form.cleaned_data["known_at"] if form.is_valid() else None
    life = biography.of(name, known_at=known_at, now=clock.now())
    if life.is_empty and not (known_at and not biography.of(name, known_at=None, now=clock.now()).is_empty):
        raise Http404("Nothing was ever reported of this resource.")
    superseded = [row.superseded_at for row in life.intervals] + [row.superseded_at for row in life.ownerships]
    context = {
        "name": name,
        "life": life,
        "form": form,
        "known_at": known_at,
        "here": resource_url(name),
        "superseded": any(superseded) and known_at is None,
        "may_edit": has(request.user, "usage.edit"),
    }
    return render(request, "usage/resource.html", context)
