"""What people do with a run: each action on a page that says what it will do, to how many, before it does it."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.gates import StaffRequest, staff
from billing import approving, cancelling, holding, issuing, retrying, run_actions, running
from billing.forms.runs import IssueForm, ReasonForm
from billing.models import Run, RunAccount
from billing.running import Progress
from billing.views.run_detail import find
from core import clock
from core.errors import VaultError
from core.forms import blame

confirmed = require_http_methods(["GET", "HEAD", "POST"])
Do = Callable[[dict[str, Any]], str]  # takes what the form says, does it, and says that it is done


@confirmed
@staff("runs.approve")
def approve(request: StaffRequest, key: int) -> HttpResponse:
    """Agree to the drafts as a second person."""

    def do(given: dict[str, Any]) -> str:
        approving.approve(key, actor=request.user.actor)
        return "The run is approved. It can be issued now."

    return _on_run(request, key, "approve", run_actions.would_approve, forms.Form, do)


@confirmed
@staff("runs.issue")
def issue(request: StaffRequest, key: int) -> HttpResponse:
    """Let workers number, post and send the approved drafts."""

    def do(given: dict[str, Any]) -> str:
        run = issuing.start(key, actor=request.user.actor, issue_date=given["issue_date"])
        return run_actions.was_issued(run, given["issue_date"])

    initial = {"issue_date": clock.today()}
    return _on_run(request, key, "issue", run_actions.would_issue, IssueForm, do, initial)


@confirmed
@staff("runs.open")
def retry(request: StaffRequest, key: int) -> HttpResponse:
    """Draft all failed accounts anew."""

    def do(given: dict[str, Any]) -> str:
        taken_up = retrying.retry_failed(key, actor=request.user.actor)
        return f"Workers try again: {taken_up:,} taken up."

    return _on_run(request, key, "retry", run_actions.would_retry, forms.Form, do)


@confirmed
@staff("runs.issue")
def close(request: StaffRequest, key: int) -> HttpResponse:
    """End the run without its held and failed accounts."""

    def do(given: dict[str, Any]) -> str:
        return f"{running.close(key, actor=request.user.actor, reason=given['reason'])} is closed."

    return _on_run(request, key, "close", run_actions.would_close, ReasonForm, do)


@confirmed
@staff("runs.open")
def cancel(request: StaffRequest, key: int) -> HttpResponse:
    """Throw the drafts away."""

    def do(given: dict[str, Any]) -> str:
        run = cancelling.cancel(key, actor=request.user.actor, reason=given["reason"])
        return f"{run} is cancelled. The month can be opened again."

    return _on_run(request, key, "cancel", run_actions.would_cancel, ReasonForm, do)


@confirmed
@staff("runs.hold")
def hold(request: StaffRequest, key: int, code: str) -> HttpResponse:
    """Keep one account out of the issue."""

    def do(entry: RunAccount, given: dict[str, Any]) -> str:
        holding.hold(key, entry.account_id, reason=given["reason"], actor=request.user.actor)
        return f"{entry.account} is held."

    return _on_account(request, key, code, "Hold", run_actions.would_hold, do)


@confirmed
@staff("runs.hold")
def release(request: StaffRequest, key: int, code: str) -> HttpResponse:
    """Let one held account go on."""

    def do(entry: RunAccount, given: dict[str, Any]) -> str:
        holding.release(key, entry.account_id, reason=given["reason"], actor=request.user.actor)
        return f"{entry.account} is released."

    return _on_account(request, key, code, "Release", run_actions.would_release, do)


@confirmed
@staff("runs.hold")
def redraft(request: StaffRequest, key: int, code: str) -> HttpResponse:
    """Draft one failed or held account anew."""

    def do(entry: RunAccount, given: dict[str, Any]) -> str:
        retrying.retry_account(key, entry.account_id, actor=request.user.actor, reason=given["reason"])
        return f"{entry.account} is being drafted anew."

    return _on_account(request, key, code, "Retry", run_actions.would_redraft, do)


def _on_run(
    request: StaffRequest,
    key: int,
    name: str,
    would: Callable[[Run, Progress], str],
    form_class: type[forms.Form],
    do: Do,
    initial: dict[str, Any] | None = None,
) -> HttpResponse:
    found, action = find(key), run_actions.ACTIONS[name]
    progress = running.progress(found)
    form = form_class(request.POST if request.method == "POST" else None, initial=initial)
    refusal = action.refusal(found, progress, request.user)
    if request.method == "POST" and form.is_valid() and _done(request, form, do):
        return redirect("run", key)
    title = f"{action.title} {found}"
    return _page(request, found, title, action.label, form, refusal, refusal or would(found, progress), action.tone)


def _on_account(
    request: StaffRequest,
    key: int,
    code: str,
    label: str,
    would: Callable[[Run, RunAccount], str],
    do: Callable[[RunAccount, dict[str, Any]], str],
) -> HttpResponse:
    found = find(key)
    entry = RunAccount.objects.select_related("account", "invoice").filter(run=found, account__code=code).first()
    if entry is None:
        raise Http404(f"{code} is not on the roster of {found}.")
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and _done(request, form, lambda given: do(entry, given)):
        return redirect("run", key)
    return _page(request, found, f"{label} {entry.account}", label, form, "", would(found, entry), "")


def _done(request: StaffRequest, form: forms.Form, do: Do) -> bool:
    try:
        messages.success(request, do(form.cleaned_data))
    except VaultError as error:
        blame(form, error)
        return False
    return True


def _page(
    request: StaffRequest, run: Run, title: str, label: str, form: forms.Form, refusal: str, consequence: str, tone: str
) -> HttpResponse:
    context = {
        "run": run,
        "title": title,
        "label": label,
        "form": form,
        "refusal": refusal,
        "consequence": consequence,
        "tone": "bad" if tone == "danger" else "warn",
        "back": f"/runs/{run.pk}/",
    }
    return render(request, "billing/run_action.html", context)
