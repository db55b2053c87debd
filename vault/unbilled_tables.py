"""The lists of usage that cannot be billed: whose it is, how much, why, and where it is settled."""

import json
from typing import Any
from urllib.parse import quote, urlencode

import django_tables2 as tables
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.models import Account
from billing.models import UsageWaiver
from billing.unpriced import Unpriced
from core import formatting
from core.tables import MomentColumn, VaultTable
from usage.addresses import resource_url
from usage.completeness import Unowned
from usage.tables import ChooseColumn, ResourceColumn

FORM = "accept"


class UnownedUsageTable(VaultTable):
    """Usage that nobody owned, with who owned the resource before or after."""

    noun = "resource"
    empty = "Everything that was used in this month had an owner, or was accepted as not billed."
    chosen = ChooseColumn(form=FORM, empty_values=())
    resource = ResourceColumn()
    product = tables.Column(attrs={"td": {"class": "nowrap"}})
    app = tables.Column()
    used = tables.Column(empty_values=(), order_by="seconds", attrs={"cell": {"class": "num nowrap"}})
    accounts = tables.Column(orderable=False, empty_values=(), verbose_name="Holds")
    cause = tables.Column(empty_values=(), orderable=False, verbose_name="Probably", attrs={"td": {"class": "prose"}})
    remedy = tables.Column(empty_values=(), orderable=False, verbose_name="What to do")

    def __init__(self, *args: Any, month: object, may_own: bool, **kwargs: Any) -> None:
        self.month, self.may_own = month, may_own
        super().__init__(*args, **kwargs)

    def render_chosen(self, record: Unowned, column: ChooseColumn) -> SafeString:
        return ChooseColumn.render(column, json.dumps([record.resource, record.product]))

    def render_used(self, record: Unowned) -> str:
        parts = [formatting.duration(record.seconds)] if record.seconds else []
        return ", ".join([*parts, *([formatting.quantity(record.quantity)] if record.quantity else [])])

    def render_accounts(self, record: Unowned) -> SafeString | str:
        return (
            format_html_join(
                ", ", '<a href="/accounts/{}/">{}</a>', ((quote(code, safe=""), code) for code in record.accounts)
            )
            or "nobody"
        )

    def render_cause(self, record: Unowned) -> str:
        if not record.accounts:
            return "No event named an account and nobody stated an owner: the platform did not register it."
        if len(record.accounts) == 1:
            return (
                f"It ran before {record.accounts[0]} owned it, or after: a wrong start or end, or a close that is late."
            )
        return "A gap between two owners: a transfer that left out some time."

    def render_remedy(self, record: Unowned) -> SafeString:
        links = [(resource_url(record.resource), "Time line")]
        if self.may_own:
            asked = urlencode({"resource": record.resource, "app": record.app, "month": str(self.month)})
            links.insert(0, (f"/usage/unbilled/own/?{asked}", "State its owner"))
        return format_html_join(" · ", '<a href="{}">{}</a>', links)


class UnpricedUsageTable(VaultTable):
    """Usage that no price covers."""

    noun = "account and product"
    plural = "accounts and products"
    empty = "Everything that was used in this month has a price, or was accepted as not billed."
    chosen = ChooseColumn(form=FORM, empty_values=())
    product = tables.Column(attrs={"td": {"class": "nowrap"}})
    account = tables.Column(order_by="account__code", verbose_name="Holds")
    start = MomentColumn(verbose_name="From")
    end = MomentColumn(verbose_name="Until")
    amount = tables.Column(verbose_name="Used", attrs={"cell": {"class": "num nowrap"}})
    why = tables.Column(orderable=False, attrs={"td": {"class": "prose"}})
    remedy = tables.Column(empty_values=(), orderable=False, verbose_name="What to do")

    def __init__(self, *args: Any, products: set[str], **kwargs: Any) -> None:
        self.products = products
        super().__init__(*args, **kwargs)

    def render_chosen(self, record: Unpriced, column: ChooseColumn) -> SafeString:
        return ChooseColumn.render(column, json.dumps([record.account.code, record.product]))

    def render_account(self, value: Account) -> SafeString:
        return format_html(
            '<a href="/accounts/{}/">{}</a> <span class="muted">{}</span>', value.code, value.name, value.currency
        )

    def render_amount(self, record: Unpriced) -> str:
        return formatting.quantity(record.amount) if record.measured else formatting.duration(record.amount)

    def render_remedy(self, record: Unpriced) -> SafeString:
        if record.product in self.products:
            return format_html('<a href="/prices/{}/">Add a price</a>', quote(record.product, safe=""))
        return format_html('<a href="/prices/new/?code={}">Add the product</a>', quote(record.product, safe=""))


class StrangerTable(VaultTable):
    """Owners of usage that are no account of ours."""

    noun = "unknown account"
    empty = "Every account that usage names is registered."
    code = tables.Column(accessor="0", verbose_name="Usage names", attrs={"td": {"class": "mono"}})
    remedy = tables.Column(empty_values=(), orderable=False, verbose_name="What to do")

    def render_remedy(self, record: tuple[str]) -> SafeString:
        return format_html('<a href="/accounts/new/?code={}">Register it</a>', quote(record[0], safe=""))


class WaiverTable(VaultTable):
    """What was accepted as not billed, and taken back."""

    noun = "waiver"
    empty = "Nothing of this month was accepted as not billed."
    kind = tables.Column()
    what = tables.Column(empty_values=(), orderable=False)
    product = tables.Column(attrs={"td": {"class": "nowrap"}})
    amount = tables.Column(attrs={"cell": {"class": "num nowrap"}}, verbose_name="Used")
    reason = tables.Column(orderable=False, attrs={"td": {"class": "prose"}})
    accepted_by = tables.Column(verbose_name="Accepted by")
    accepted_at = MomentColumn(verbose_name="On")
    withdrawn_at = MomentColumn(verbose_name="Withdrawn", default="", empty_values=())

    def __init__(self, *args: Any, may_accept: bool, **kwargs: Any) -> None:
        self.may_accept = may_accept
        super().__init__(*args, **kwargs)

    def render_what(self, record: UsageWaiver) -> SafeString:
        if record.account is None:
            return format_html('<a class="mono" href="{}">{}</a>', resource_url(record.resource), record.resource)
        return format_html('<a href="/accounts/{}/">{}</a>', record.account.code, record.account.name)

    def render_kind(self, record: UsageWaiver) -> str:
        return str(record.get_kind_display())

    def render_amount(self, record: UsageWaiver) -> str:
        return formatting.quantity(record.amount)

    def render_accepted_by(self, value: str) -> str:
        return value.removeprefix("user:")

    def render_withdrawn_at(self, record: UsageWaiver) -> SafeString | str:
        if record.withdrawn_at:
            return f"{formatting.moment(record.withdrawn_at)} by {record.withdrawn_by.removeprefix('user:')}"
        if not self.may_accept:
            return formatting.NOTHING
        return format_html('<a href="/usage/unbilled/waivers/{}/withdraw/">Withdraw</a>', record.pk)
