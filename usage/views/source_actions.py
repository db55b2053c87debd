"""What an operator does to a source: make one, change its contract, give it secrets and take them away, end it."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.gates import StaffRequest, staff
from core.errors import VaultError
from core.forms import blame
from usage import sources
from usage.forms import ChangedContractForm, ContractForm, ReasonForm, RotateForm, SourceForm
from usage.views.sources import EDIT, page

asked = require_http_methods(["GET", "HEAD", "POST"])


@asked
@staff(EDIT)
def new(request: StaffRequest) -> HttpResponse:
    """Make a source; the answer is the only one that ever shows its secret."""
    form = SourceForm(request.POST or None)
    if form.is_valid():
        name, scopes = form.cleaned_data["name"], form.cleaned_data["scopes"]
        try:
            source, secret = sources.create(name, actor=request.user.actor, scopes=scopes, **form.contract)
        except VaultError as error:
            blame(form, error)
        else:
            return page(request, source, secret=secret)
    return render(request, "usage/source_new.html", {"form": form})


@asked
@staff(EDIT)
def change(request: StaffRequest, name: str) -> HttpResponse:
    """Change what is expected of a source, with a reason."""
    one = sources.find(name)
    form = ChangedContractForm(request.POST or None, initial=ContractForm.of(one))
    if form.is_valid():
        try:
            sources.change(one, actor=request.user.actor, reason=form.cleaned_data["reason"], **form.contract)
        except VaultError as error:
            blame(form, error)
        else:
            messages.success(request, f"The contract of {name} is changed; what it was stays in its history.")
            return redirect("source", name)
    return render(request, "usage/source_change.html", {"form": form, "source": one})


@require_POST
@staff(EDIT)
def rotate(request: StaffRequest, name: str) -> HttpResponse:
    """Make a new secret; the answer is the only one that ever shows it."""
    one, form = sources.find(name), RotateForm(request.POST)
    if not form.is_valid():
        return page(request, one, rotate_form=form)
    overlap, scopes = timedelta(seconds=form.cleaned_data["overlap"]), form.cleaned_data["scopes"]
    return page(request, one, secret=sources.rotate(one, actor=request.user.actor, overlap=overlap, scopes=scopes))


@require_POST
@staff(EDIT)
def pause(request: StaffRequest, name: str) -> HttpResponse:
    """Refuse what the source sends until it is resumed."""
    one, form = sources.find(name), ReasonForm(request.POST)
    if not form.is_valid():
        return page(request, one, pause_form=form)
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


@asked
@staff(EDIT)
def revoke(request: StaffRequest, name: str) -> HttpResponse:
    """End a source for good; the page says what that means before it is done."""
    one, form = sources.find(name), ReasonForm(request.POST or None)
    if form.is_valid():
        sources.revoke(one, actor=request.user.actor, reason=form.cleaned_data["reason"])
        messages.success(request, f"{name} is revoked: nothing more is taken from it.")
        return redirect("source", name)
    consequence = (
        f"Every secret of {name} stops working at once and its feed is read no more. This cannot be taken back; what "
        "it sent stays, and no month waits for it any longer."
    )
    return _confirm(request, name, f"Revoke {name}", consequence, form)


@asked
@staff(EDIT)
def revoke_secret(request: StaffRequest, name: str, prefix: str) -> HttpResponse:
    """End one secret at once."""
    one, form = sources.find(name), ReasonForm(request.POST or None)
    if form.is_valid():
        sources.revoke_credential(one, prefix, actor=request.user.actor, reason=form.cleaned_data["reason"])
        messages.success(request, f"The secret vs_{prefix}… works no more.")
        return redirect("source", name)
    consequence = (
        f"Whoever still uses vs_{prefix}… is refused from this moment. Make a new secret first when the component "
        "must go on."
    )
    return _confirm(request, name, "Revoke a secret", consequence, form)


def _confirm(request: StaffRequest, name: str, title: str, consequence: str, form: ReasonForm) -> HttpResponse:
    context = {"name": name, "title": title, "consequence": consequence, "form": form}
    return render(request, "usage/source_confirm.html", context)
