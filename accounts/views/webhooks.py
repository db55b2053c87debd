"""Webhooks as staff see them: who hears what, whether it arrives, and telling it again."""

from typing import Any, Final

import django_tables2 as tables
from django import forms
from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import permissions, registering
from accounts.gates import StaffRequest, staff
from accounts.models import WebhookDelivery, WebhookEndpoint, WebhookTry
from accounts.webhooks import endpoints
from accounts.webhooks.endpoints import NewEndpoint
from accounts.webhooks.topics import TOPICS
from core.errors import NotFound, VaultError
from core.forms import blame
from core.models import WorkState
from core.tables import MomentColumn, StatusColumn, VaultTable, badge

WORDS: Final = {
    WorkState.DONE: "arrived",
    WorkState.DEAD: "given up",
    WorkState.READY: "waiting",
    WorkState.LEASED: "sending",
}


class EndpointForm(forms.Form):
    """A new webhook."""

    account = forms.CharField(
        max_length=200, required=False, label="Account", help_text="Its code. Empty: it hears of every account."
    )
    url = forms.CharField(max_length=500, label="Address", help_text="https://…, where a program of theirs listens.")
    topics = forms.MultipleChoiceField(
        choices=[(topic, f"{topic}: {words}") for topic, words in TOPICS.items()],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        label="Hears",
        help_text="None ticked: everything, topics to come as well.",
    )
    description = forms.CharField(max_length=200, required=False, label="What it is for")


class EndpointTable(VaultTable):
    noun = "webhook"
    empty = "No program listens yet. A new webhook tells one of issued and paid invoices, and of accounts to suspend."
    url = tables.Column(verbose_name="Address", linkify=lambda record: f"/webhooks/{record.pk}/")
    account = tables.Column(empty_values=(), verbose_name="Hears of", accessor="account__code")
    topics = tables.Column(orderable=False, empty_values=())
    state = StatusColumn(empty_values=(), orderable=False)
    waiting = tables.Column(attrs={"cell": {"class": "num"}})
    given_up = tables.Column(verbose_name="Given up", attrs={"cell": {"class": "num"}})

    def render_account(self, value: str | None) -> str:
        return value or "every account"

    def render_topics(self, record: WebhookEndpoint) -> str:
        return ", ".join(record.topics) or "everything"

    def render_state(self, record: WebhookEndpoint) -> SafeString:
        return badge("paused" if record.paused_at else "active")


class DeliveryTable(VaultTable):
    noun = "piece of news"
    plural = "pieces of news"
    empty = "Nothing was told yet. Send a test to see whether it arrives."
    topic = tables.Column(accessor="message__topic", verbose_name="News")
    key = tables.Column(accessor="message__key", verbose_name="About")
    state = StatusColumn()
    attempts = tables.Column(verbose_name="Tries", attrs={"cell": {"class": "num"}})
    created_at = MomentColumn(accessor="message__created_at", verbose_name="Said")
    delivered_at = MomentColumn(verbose_name="Arrived")
    last_error = tables.Column(verbose_name="Last problem", orderable=False)

    def render_state(self, record: WebhookDelivery) -> SafeString:
        return badge(WORDS[WorkState(record.state)])


@require_safe
@staff("webhooks.view")
def webhooks(request: StaffRequest) -> HttpResponse:
    """Every endpoint with what waits and what was given up."""
    found = WebhookEndpoint.objects.filter(removed_at=None).select_related("account")
    counted = found.annotate(
        waiting=Count("deliveries", filter=Q(deliveries__state__in=[WorkState.READY, WorkState.LEASED])),
        given_up=Count("deliveries", filter=Q(deliveries__state=WorkState.DEAD)),
    )
    table = EndpointTable(counted, order_by="-given_up")
    tables.RequestConfig(request, paginate={"per_page": 50, "silent": True}).configure(table)
    context = {"table": table, "may_edit": permissions.has(request.user, "webhooks.edit")}
    return render(request, "accounts/webhooks.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("webhooks.edit")
def new(request: StaffRequest) -> HttpResponse:
    """Add one; the answer is the only one that ever shows its secret."""
    form = EndpointForm(request.POST or None, initial={"account": request.GET.get("account", "")})
    if request.method == "POST" and form.is_valid():
        said = dict(form.cleaned_data)
        try:
            code = said.pop("account")
            made = endpoints.add(registering.find(code) if code else None, actor=request.user.actor, **said)
        except NotFound as error:
            form.add_error("account", str(error))
        except VaultError as error:
            blame(form, error)
        else:
            return _page(request, made.endpoint, made)
    return render(request, "accounts/webhook_new.html", {"form": form})


@require_safe
@staff("webhooks.view")
def webhook(request: StaffRequest, key: int) -> HttpResponse:
    """One endpoint with the log of what it was told."""
    return _page(request, _find(key))


@require_POST
@staff("webhooks.edit")
def change(request: StaffRequest, key: int, step: str) -> HttpResponse:
    """Rotate, pause, resume, test, tell again, or remove."""
    endpoint, actor = _find(key), request.user.actor
    reason = request.POST.get("reason", "").strip() or step
    if step == "rotate":
        return _page(request, endpoint, endpoints.rotate(key, actor=actor))
    if step == "pause":
        endpoints.pause(key, reason=reason, actor=actor)
        messages.success(request, "Paused: what happens meanwhile waits.")
    elif step == "resume":
        endpoints.resume(key, actor=actor)
        messages.success(request, "Resumed: what waited is on its way.")
    elif step == "test":
        endpoints.test(key, actor=actor)
        messages.success(request, "A test is on its way; look at the log in a moment.")
    elif step == "again":
        count = endpoints.send_again(endpoint.deliveries.filter(state=WorkState.DEAD), actor=actor)
        messages.success(request, f"{count} given up before are on their way again.")
    elif step == "remove":
        endpoints.remove(key, reason=reason, actor=actor)
        messages.success(request, f"{endpoint.url} hears nothing any more.")
        return redirect("webhooks")
    else:
        raise NotFound("There is no such step.")
    return redirect("webhook", key)


def _find(key: int) -> WebhookEndpoint:
    found = WebhookEndpoint.objects.filter(pk=key, removed_at=None).select_related("account").first()
    if found is None:
        raise NotFound("There is no such webhook, or it was removed.")
    return found


def _page(request: HttpRequest, endpoint: WebhookEndpoint, made: NewEndpoint | None = None) -> HttpResponse:
    deliveries: QuerySet[WebhookDelivery] = endpoint.deliveries.select_related("message")
    table = DeliveryTable(deliveries, order_by="-created_at")
    tables.RequestConfig(request, paginate={"per_page": 50, "silent": True}).configure(table)
    context: dict[str, Any] = {
        "endpoint": endpoint,
        "table": table,
        "tries": WebhookTry.objects.filter(delivery__endpoint=endpoint).select_related("delivery__message")[:20],
        "given_up": deliveries.filter(state=WorkState.DEAD).count(),
        "secret": made.secret if made else "",
        "may_edit": permissions.has(request.user, "webhooks.edit"),
    }
    return render(request, "accounts/webhook.html", context)
