"""One case: its whole story on one page, and everything an agent can do about it."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import permissions
from accounts.gates import StaffRequest, staff
from billing.models import Invoice
from collections_ import casefile, casework, charging, wording
from collections_.forms import AssignForm, HoldForm, NoteForm, PromiseForm
from collections_.models import AttemptOutcome, Case, ChargeAttempt, PaymentMethod, PromiseState
from core import clock, formatting
from core.errors import VaultError
from core.exact import ZERO
from core.forms import blame


@require_safe
@staff("collections.view")
def case(request: StaffRequest, pk: int) -> HttpResponse:
    """Everything about one case in one place."""
    found, today = _find(pk), clock.today()
    past_due, tried = casefile.past_due(found, today), casefile.attempts(found)
    context = {
        "case": found,
        "account": found.account,
        "past_due": past_due,
        "owed": sum((one.owed.outstanding for one in past_due), ZERO),
        "oldest": max((one.days for one in past_due), default=None),
        "attempts": [(attempt, wording.why(attempt.decline_code, attempt.decline_class)) for attempt in tried],
        "entries": casefile.story(found, tried),
        "hold": found.holds.filter(lifted_at__isnull=True).first(),
        "promise": found.promises.filter(state=PromiseState.OPEN).first(),
        "card": PaymentMethod.objects.filter(account=found.account_id, is_default=True).first(),
        "note": NoteForm(),
        "may_work": permissions.has(request.user, "collections.work"),
    }
    return render(request, "collections/case.html", context)


@require_POST
@staff("collections.work")
def note(request: StaffRequest, pk: int) -> HttpResponse:
    """Add a note to the story."""
    casework.note(pk, request.POST.get("text", "")[:2000], actor=request.user.actor)
    messages.success(request, "The note is in the story.")
    return redirect("case", pk)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("collections.work")
def promise(request: StaffRequest, pk: int) -> HttpResponse:
    """A form for what the customer promised to pay."""
    today = clock.today()

    def keep(form: forms.Form) -> str:
        casework.promise(pk, as_of=today, actor=request.user.actor, **form.cleaned_data)
        return f"The ladder waits until {formatting.day(form.cleaned_data['due_on'])}."

    return _ask(request, _find(pk), PromiseForm, keep, "Record a promise", "Record the promise")


@require_http_methods(["GET", "HEAD", "POST"])
@staff("collections.work")
def hold(request: StaffRequest, pk: int) -> HttpResponse:
    """A form for a pause with a reason and an end."""
    today = clock.today()

    def place(form: forms.Form) -> str:
        casework.hold(pk, as_of=today, actor=request.user.actor, **form.cleaned_data)
        return f"The case is on hold through {formatting.day(form.cleaned_data['until'])}."

    return _ask(request, _find(pk), HoldForm, place, "Put the case on hold", "Put on hold")


@require_POST
@staff("collections.work")
def lift(request: StaffRequest, pk: int, hold: int) -> HttpResponse:
    """End a hold before its day."""
    casework.lift(hold, actor=request.user.actor)
    messages.success(request, "The hold is lifted. The ladder goes on with the next run.")
    return redirect("case", pk)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("collections.work")
def assign(request: StaffRequest, pk: int) -> HttpResponse:
    """A form to give the case to somebody."""

    def give(form: forms.Form) -> str:
        person = form.cleaned_data["assignee"]
        casework.assign(pk, person, actor=request.user.actor)
        return f"The case is assigned to {person}." if person else "The case is assigned to nobody."

    found = _find(pk)
    return _ask(request, found, AssignForm, give, "Assign the case", "Assign", {"assignee": found.assignee_id})


@require_http_methods(["GET", "HEAD", "POST"])
@staff("collections.work")
def charge(request: StaffRequest, pk: int, number: str) -> HttpResponse:
    """Ask once more, then charge one invoice to the account's card and say what the bank answered."""
    found = _find(pk)
    invoice = get_object_or_404(Invoice, number=number, account=found.account_id)
    if request.method == "POST":
        try:
            _say_outcome(request, charging.pay_now(invoice.pk, actor=request.user.actor, as_of=clock.today()))
        except VaultError as error:
            messages.error(request, str(error))
        return redirect("case", pk)
    card = PaymentMethod.objects.filter(account=found.account_id, is_default=True).first()
    owed = formatting.amount_with_currency(invoice.outstanding, invoice.currency)
    consequence = f"Charges {owed} to {card} at once. You will see the bank's answer."
    context = {"case": found, "invoice": invoice, "card": card, "consequence": consequence}
    return render(request, "collections/charge_now.html", context)


def _say_outcome(request: StaffRequest, attempt: ChargeAttempt) -> None:
    amount = formatting.amount_with_currency(attempt.amount, attempt.currency)
    if attempt.outcome == AttemptOutcome.SUCCEEDED:
        messages.success(request, f"{amount} was charged to {attempt.method}.")
    elif attempt.outcome == AttemptOutcome.DECLINED:
        why = wording.why(attempt.decline_code, attempt.decline_class)
        messages.error(request, f"The bank declined {amount}: {why}.")
    else:
        messages.warning(request, f"The gateway has not answered about {amount}; nothing is tried again until it has.")


def _find(pk: int) -> Case:
    found = Case.objects.select_related("account", "assignee", "policy").filter(pk=pk).first()
    if found is None:
        raise Http404("There is no such case. Look the account up and open its cases.")
    return found


def _ask(
    request: StaffRequest,
    found: Case,
    form_class: type[forms.Form],
    act: Callable[[forms.Form], str],
    title: str,
    submit: str,
    initial: dict[str, Any] | None = None,
) -> HttpResponse:
    """Show a form of its own page; act on it when it is sent and right, and go back to the case."""
    form = form_class(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            done = act(form)
        except VaultError as error:
            blame(form, error)
        else:
            messages.success(request, done)
            return redirect("case", found.pk)
    context = {"case": found, "form": form, "title": title, "submit": submit}
    return render(request, "collections/case_form.html", context)
