"""What was mailed to whom, what is waiting, and what needs a person."""

from typing import Any, Final

import django_tables2 as tables
from django import forms
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from accounts.gates import StaffRequest, staff
from accounts.permissions import has
from billing.tables.columns import account_address
from core import mailing
from core.errors import NotFound
from core.models import Mail, WorkState
from core.tables import MomentColumn, StatusColumn, VaultTable, badge

# Letters that anybody of the staff may read. All others, such as one with a link to set a password, stay closed.
READABLE: Final = ("invoice", "credit_note", "dunning.")
WORDS: Final = {
    WorkState.DONE: "sent",
    WorkState.DEAD: "failed",
    WorkState.READY: "waiting",
    WorkState.LEASED: "sending",
}


class MailFilter(forms.Form):
    q = forms.CharField(
        label="Search", required=False, widget=forms.TextInput(attrs={"placeholder": "Address, account or number"})
    )
    state = forms.ChoiceField(
        choices=[("", "Any"), *((state.value, word.capitalize()) for state, word in WORDS.items())], required=False
    )


class MailTable(VaultTable):
    noun = "mail"
    plural = "mails"
    wide = True
    empty = "No mail matches. Invoices are mailed when their document is there."
    subject = tables.Column(linkify=lambda record: f"/mail/{record.pk}/")
    recipient = tables.Column()
    account_code = tables.Column(verbose_name="Account")
    state = StatusColumn()
    created_at = MomentColumn(verbose_name="Queued")
    sent_at = MomentColumn(verbose_name="Sent")

    def render_state(self, record: Mail) -> SafeString:
        return badge(WORDS[WorkState(record.state)])

    def render_account_code(self, value: str) -> SafeString:
        return format_html('<a href="{}">{}</a>', account_address(value), value)


@require_safe
@staff("invoices.view")
def mails(request: StaffRequest) -> HttpResponse:
    """All mail, newest first."""
    form = MailFilter(request.GET)
    table = MailTable(_matching(form), order_by="-created_at")
    tables.RequestConfig(request, paginate={"per_page": 50, "silent": True}).configure(table)
    return render(request, "billing/mails.html", {"form": form, "table": table})


@require_safe
@staff("invoices.view")
def mail(request: StaffRequest, key: int) -> HttpResponse:
    """One mail as it was sent, and the way to send it again."""
    found = _find(key)
    context: dict[str, Any] = {
        "mail": found,
        "word": WORDS[WorkState(found.state)],
        "readable": found.kind.startswith(READABLE),
        "may_resend": found.state in (WorkState.DEAD, WorkState.DONE) and has(request.user, "accounts.edit"),
    }
    return render(request, "billing/mail.html", context)


@require_POST
@staff("accounts.edit")
def send_again(request: StaffRequest, key: int) -> HttpResponse:
    """Send a failed or sent mail once more."""
    mailing.send_again(_find(key).pk, actor=request.user.actor)
    messages.success(request, "It is on its way again.")
    return redirect("mail_detail", key)


def _find(key: int) -> Mail:
    found = Mail.objects.filter(pk=key).first()
    if found is None:
        raise NotFound("There is no such mail.")
    return found


def _matching(form: MailFilter) -> QuerySet[Mail]:
    form.is_valid()
    text, state = form.cleaned_data.get("q", "").strip(), form.cleaned_data.get("state", "")
    found: QuerySet[Mail] = Mail.objects.all()
    if text:
        found = found.filter(
            Q(recipient__icontains=text) | Q(account_code__icontains=text) | Q(reference__icontains=text)
        )
    return found.filter(state=state) if state else found
