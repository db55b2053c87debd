"""Sources: who speaks and who does not; making one, its secrets, and a pause."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.gates import StaffRequest, staff
from accounts.permissions import has
from core import clock
from core.errors import VaultError
from core.forms import blame
from core.keys import NewKey
from usage import manifests, sources, watching
from usage.forms import ReasonForm, RotateForm, SourceForm
from usage.models import Event, Source

RECENT = 20
EDIT = "sources.edit"


@require_safe
@staff("sources.view")
def source_list(request: StaffRequest) -> HttpResponse:
    """Every source, those that need a person first."""
    context = {"watched": watching.sources(now=clock.now()), "may_edit": has(request.user, EDIT)}
    return render(request, "usage/sources.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff(EDIT)
def new(request: StaffRequest) -> HttpResponse:
    """Make a source; the answer is the only one that ever shows its secret."""
    form = SourceForm(request.POST or None)
    if form.is_valid():
        try:
            source, secret = sources.create(form.cleaned_data["name"], actor=request.user.actor, **form.contract)
        except VaultError as error:
            blame(form, error)
        else:
            return _page(request, source, secret=secret)
    return render(request, "usage/source_new.html", {"form": form})


@require_safe
@staff("sources.view")
def source(request: StaffRequest, name: str) -> HttpResponse:
    """One source: its contract, its secrets, how it has been speaking, and what it said last."""
    return _page(request, sources.find(name))


@require_POST
@staff(EDIT)
def rotate(request: StaffRequest, name: str) -> HttpResponse:
    """Make a new secret; the answer is the only one that ever shows it."""
    one, form = sources.find(name), RotateForm(request.POST)
    if not form.is_valid():
        return _page(request, one, rotate_form=form)
    overlap = timedelta(seconds=form.cleaned_data["overlap"])
    return _page(request, one, secret=sources.rotate(one, actor=request.user.actor, overlap=overlap))


@require_POST
@staff(EDIT)
def pause(request: StaffRequest, name: str) -> HttpResponse:
    """Refuse what the source sends until it is resumed."""
    one, form = sources.find(name), ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, one, pause_form=form)
    sources.pause(one, actor=request.user.actor, reason=form.cleaned_data["reason"])
    messages.success(request, f"{name} is paused: what it sends is refused, and it is told to keep it.")
    return redirect("source", name)


@require_POST
@staff(EDIT)
def resume(request: StaffRequest, name: str) -> HttpResponse:
    """Take what the source sends again."""
    sources.resume(sources.find(name), actor=request.user.actor)
    messages.success(request, f"{name} is resumed.")
    return redirect("source", name)


def _page(
    request: StaffRequest,
    one: Source,
    *,
    secret: NewKey | None = None,
    rotate_form: RotateForm | None = None,
    pause_form: ReasonForm | None = None,
) -> HttpResponse:
    now = clock.now()
    hours = watching.hours(one, now=now)
    context = {
        "watched": watching.source(one, now=now),
        "source": one,
        "secret": secret,
        "now": now,
        "credentials": one.credentials.order_by("-created_at"),
        "arrivals": [(f"{hour.start:%d %b %H:00}", hour.events) for hour in hours],
        "lags": [(f"{hour.start:%d %b %H:00}", hour.lag_seconds) for hour in hours],
        "manifests": manifests.history(one.name).order_by("-id")[:RECENT],
        "recent": Event.objects.filter(source=one).order_by("-id")[:RECENT],
        "rotate_form": rotate_form or RotateForm(),
        "pause_form": pause_form or ReasonForm(),
        "may_edit": has(request.user, EDIT),
    }
    return render(request, "usage/source.html", context)
